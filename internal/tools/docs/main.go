// Command docs writes docs/rfcs.md, docs/errors.md and docs/troubleshooting.md. Its
// tests compare them with what it would write.
//
//	go run ./internal/tools/docs
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/bearward/bearward/internal/tools/markers"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := markers.Root()
	if err != nil {
		return err
	}
	for name, write := range documents {
		text, err := write(root)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, "docs", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// documents are the generated files of docs.
var documents = map[string]func(root string) (string, error){
	"rfcs.md":   rfcs,
	"errors.md": errorTable,

	"troubleshooting.md": troubleshooting,
}
