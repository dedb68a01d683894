package cli

import (
	"fmt"
	"slices"
	"strconv"

	"kith"
	"kith/internal/api"
)

// The storage part of documents (CLI reference, section 5.2). Each key is left out if it
// would be empty; there are no volumes.
type (
	storagePartDoc struct {
		Storage     map[string]storageDoc    `json:"storage,omitempty"`
		Filesystems map[string]filesystemDoc `json:"filesystems,omitempty"`
	}
	storageDoc struct {
		Kind        string                 `json:"kind"`
		Life        string                 `json:"life,omitempty"`
		Status      recordDoc              `json:"status"`
		Persistent  bool                   `json:"persistent"`
		Attachments *storageAttachmentsDoc `json:"attachments,omitempty"`
	}
	storageAttachmentsDoc struct {
		Units map[string]storageAttachmentDoc `json:"units"`
	}
	storageAttachmentDoc struct {
		Machine  string `json:"machine,omitempty"`
		Location string `json:"location,omitempty"`
		Life     string `json:"life,omitempty"`
	}
	filesystemDoc struct {
		Storage     string                    `json:"storage,omitempty"`
		Attachments *filesystemAttachmentsDoc `json:"attachments,omitempty"`
		Pool        string                    `json:"pool,omitempty"`
		Size        uint64                    `json:"size"`
		Life        string                    `json:"life,omitempty"`
		Status      recordDoc                 `json:"status"`
	}
	filesystemAttachmentsDoc struct {
		Machines map[string]filesystemAttachmentDoc `json:"machines"`
		Units    map[string]storageAttachmentDoc    `json:"units,omitempty"`
	}
	filesystemAttachmentDoc struct {
		MountPoint string `json:"mount-point"`
		ReadOnly   bool   `json:"read-only"`
		Life       string `json:"life,omitempty"`
	}
)

// storagePart is the whole of it. In kith a storage outlives its unit: it is persistent.
func storagePart(all []api.StorageStatus, c clock) storagePartDoc {
	d := storagePartDoc{Storage: map[string]storageDoc{}, Filesystems: map[string]filesystemDoc{}}
	for _, s := range all {
		d.Storage[string(s.ID)] = storageDocument(s, c)
		d.Filesystems[strconv.Itoa(s.ID.Number())] = filesystemDocument(s, c)
	}
	return d
}

func storageDocument(s api.StorageStatus, c clock) storageDoc {
	d := storageDoc{Kind: s.Kind, Life: string(s.Life), Status: record(s.Status, c), Persistent: true}
	if s.Unit != "" {
		d.Attachments = &storageAttachmentsDoc{map[string]storageAttachmentDoc{string(s.Unit): attachmentDocument(s)}}
	}
	return d
}

func attachmentDocument(s api.StorageStatus) storageAttachmentDoc {
	return storageAttachmentDoc{Machine: string(s.Machine), Location: s.Location, Life: string(attachmentLife(s))}
}

// attachmentLife is that of a storage's tie to its unit.
func attachmentLife(s api.StorageStatus) kith.Life {
	if s.Status.Current == api.Detaching {
		return kith.Dying
	}
	return kith.Alive
}

func filesystemDocument(s api.StorageStatus, c clock) filesystemDoc {
	d := filesystemDoc{Storage: string(s.ID), Pool: s.Pool, Size: s.Size, Life: string(s.Life), Status: record(s.Status, c)}
	if s.Unit != "" {
		d.Attachments = &filesystemAttachmentsDoc{
			Machines: map[string]filesystemAttachmentDoc{string(s.Machine): {s.Location, s.ReadOnly, string(attachmentLife(s))}},
			Units:    map[string]storageAttachmentDoc{string(s.Unit): attachmentDocument(s)},
		}
	}
	return d
}

// sizeText is a size in MiB for tables: 512 MiB, 1.0 GiB, 20 GiB.
func sizeText(mib uint64) string {
	units := []string{"MiB", "GiB", "TiB", "PiB", "EiB"}
	size, unit := float64(mib), 0
	for size >= 1024 && unit < len(units)-1 {
		size, unit = size/1024, unit+1
	}
	if unit == 0 || size >= 10 {
		return fmt.Sprintf("%.0f %s", size, units[unit])
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}

// storageTable is the table of the command storage (section 15).
func storageTable(all []api.StorageStatus) string {
	if len(all) == 0 {
		return ""
	}
	tb := &table{}
	tb.add("Unit", "Storage ID", "Type", "Pool", "Size", "Status", "Message")
	for _, s := range byUnit(all) {
		tb.add(string(s.Unit), string(s.ID), s.Kind, s.Pool, sizeText(s.Size), string(s.Status.Current), s.Status.Message)
	}
	return tb.String()
}

// filesystemTable is that of storage --filesystem.
func filesystemTable(all []api.StorageStatus) string {
	if len(all) == 0 {
		return ""
	}
	tb := &table{}
	tb.add("Machine", "Unit", "Storage ID", "ID", "Provider ID", "Mountpoint", "Size", "State", "Message")
	for _, s := range byUnit(all) {
		tb.add(string(s.Machine), string(s.Unit), string(s.ID), strconv.Itoa(s.ID.Number()), "", s.Location, sizeText(s.Size),
			string(s.Status.Current), s.Status.Message)
	}
	return tb.String()
}

// storageSection is the storage section of a status table (section 6.1).
func storageSection(all []api.StorageStatus) *table {
	tb := &table{}
	tb.add("Storage Unit", "Storage ID", "Type", "Pool", "Mountpoint", "Size", "Status", "Message")
	for _, s := range byUnit(all) {
		tb.add(string(s.Unit), string(s.ID), s.Kind, s.Pool, s.Location, sizeText(s.Size), string(s.Status.Current), s.Status.Message)
	}
	return tb
}

// storagePreview says what becomes of the storage of units that go (section 7.4).
func storagePreview(s *api.Status, destroy bool, units ...kith.UnitName) string {
	gone := map[kith.UnitName]bool{}
	for _, u := range units {
		gone[u] = true
		if st := s.UnitOf(u); st != nil {
			for _, sub := range st.Subordinates {
				gone[sub] = true
			}
		}
	}
	text := ""
	for _, st := range s.Storage {
		switch {
		case !gone[st.Unit]:
		case destroy || st.Lost:
			text += fmt.Sprintf("- will remove storage %s\n", st.ID)
		default:
			text += fmt.Sprintf("- will detach storage %s\n", st.ID)
		}
	}
	return text
}

// byUnit orders storage by unit, what nobody has last.
func byUnit(all []api.StorageStatus) []api.StorageStatus {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b api.StorageStatus) int {
		switch {
		case (a.Unit == "") != (b.Unit == ""):
			if a.Unit == "" {
				return 1
			}
			return -1
		default:
			return api.Natural(string(a.Unit), string(b.Unit))
		}
	})
	return sorted
}
