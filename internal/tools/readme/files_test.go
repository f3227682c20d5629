package readme

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/tools/markers"
)

// Whole files of bearward serve, in the README, the guides and the examples, are
// valid.
func TestFilesOfServe(t *testing.T) {
	root, err := markers.Root()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "examples/*/*.yaml", "examples/*/*/*.yaml"} {
		names, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			short := strings.TrimPrefix(name, root+string(filepath.Separator))
			if filepath.Ext(name) == ".yaml" {
				texts[short] = string(raw)
				continue
			}
			for _, block := range Blocks(string(raw)) {
				if block.Language == "yaml" {
					texts[short+":"+strconv.Itoa(block.Line)] = block.Text
				}
			}
		}
	}
	t.Setenv("API_CLIENT_SECRET", "secret")
	whole := 0
	for name, text := range texts {
		if !strings.Contains("\n"+text, "\nlisten:") {
			continue // a part
		}
		whole++
		if _, err := config.Parse(name, []byte(text)); err != nil {
			t.Error(err)
		}
	}
	if whole < 8 {
		t.Errorf("%d whole files", whole)
	}
}
