package kith

import (
	"strconv"
	"strings"
)

// StorageID names one instance of a storage: "data/0". Numbers count up over all
// storages of a model and are never used twice.
type StorageID string

// StorageOf builds the id of instance number n of a storage.
func StorageOf(name string, n int) StorageID { return StorageID(name + "/" + strconv.Itoa(n)) }

// ParseStorageID checks a storage id (charm format reference, section 8.1). Errors: Invalid.
func ParseStorageID(s string) (StorageID, error) {
	name, number, ok := strings.Cut(s, "/")
	if _, err := strconv.Atoi(number); !ok || !ValidAppName(name) || !numberPattern.MatchString(number) || err != nil {
		return "", Errorf(Invalid, "invalid storage ID %q", s).WithHint("a storage is NAME/NUMBER, such as data/0")
	}
	return StorageID(s), nil
}

// Name is the storage as the charm declares it: "data".
func (id StorageID) Name() string {
	name, _, _ := strings.Cut(string(id), "/")
	return name
}

// Number tells the instances of one storage apart.
func (id StorageID) Number() int {
	_, number, _ := strings.Cut(string(id), "/")
	n, _ := strconv.Atoi(number)
	return n
}
