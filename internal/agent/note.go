package agent

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
)

// readNote reads what writeNote wrote; nothing if there is no such file.
func readNote(path string, v any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// writeNote writes a file as JSON. Whoever reads it meanwhile, or after a crash, finds the old one or the new one.
func writeNote(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	temp := path + ".new"
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
