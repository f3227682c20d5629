// Package examples tests the programs that the README prints.
package examples

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
)

var printed = []string{"nethttp", "grpc"}

// A whole protected program is at most 20 lines of code, one whose tokens are
// bound to their senders at most 25.
func TestProgramsAreShort(t *testing.T) {
	for name, most := range map[string]int{"nethttp": 20, "gin": 20, "grpc": 20, "dpop": 25, "mtls": 25} {
		lines := 0
		for line := range strings.Lines(read(t, name, "main.go")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				lines++
			}
		}
		if lines > most {
			t.Errorf("%s has %d lines of code", name, lines)
		}
	}
}

// The README prints two of them as they are, and serve's file without its
// introduction.
func TestReadmePrintsThem(t *testing.T) {
	text := read(t, "..", "README.md")
	for _, name := range printed {
		if !strings.Contains(text, "```go\n"+read(t, name, "main.go")+"```\n") {
			t.Errorf("examples/%s/main.go is not in the README", name)
		}
	}
	_, file, _ := strings.Cut(read(t, "serve", "bearward.yaml"), "\nlisten:")
	if !strings.Contains(text, "```yaml\nlisten:"+file+"```\n") {
		t.Error("examples/serve/bearward.yaml is not in the README")
	}
}

func TestServeFiles(t *testing.T) {
	t.Setenv("API_CLIENT_SECRET", "secret")
	for _, name := range []string{"bearward.yaml", "issuers.yaml"} {
		file, err := config.Load(filepath.Join("serve", name))
		if err != nil {
			t.Fatal(err)
		}
		service, err := server.New(context.Background(), file, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
