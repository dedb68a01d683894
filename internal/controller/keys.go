package controller

import (
	"strconv"
	"strings"

	"kith"
)

// relationID reads the id of a relation's row.
func relationID(s string) (kith.RelationID, bool) {
	n, err := strconv.Atoi(s)
	return kith.RelationID(n), err == nil
}

// splitOwner reads "relation/owner", where the owner may have a slash itself.
func splitOwner(id string) (kith.RelationID, string, bool) {
	number, owner, ok := strings.Cut(id, "/")
	rel, isNumber := relationID(number)
	return rel, owner, ok && isNumber
}

// firstUnit is the first unit of "app/0/app/1".
func firstUnit(s string) kith.UnitName {
	slash := strings.IndexByte(s, '/')
	if slash < 0 {
		return kith.UnitName(s)
	}
	if end := strings.IndexByte(s[slash+1:], '/'); end >= 0 {
		s = s[:slash+1+end]
	}
	return kith.UnitName(s)
}
