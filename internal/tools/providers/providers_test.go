// Package providers checks docs/providers: every preset has a page, its
// configurations load, its Go compiles, and the fixes it quotes are those of
// reports.
package providers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bearward/bearward/internal/server"
	"github.com/bearward/bearward/internal/server/config"
	"github.com/bearward/bearward/internal/tools/markers"
	"github.com/bearward/bearward/internal/tools/readme"
	"github.com/bearward/bearward/validate"
)

// frame is the rest of the file around a page's issuers.
const frame = `listen: 127.0.0.1:0
mode: proxy
upstream: http://127.0.0.1:9100
resource: https://api.example.com
rules:
  - {match: "/", user_only: true}
`

const prelude = `package block

import (
	"crypto/x509"
	"os"

	"github.com/bearward/bearward"
	"github.com/bearward/bearward/introspect"
)

var (
	_ = x509.NewCertPool
	_ = os.Getenv
	_ introspect.Auth
)
`

func root(t *testing.T) string {
	t.Helper()
	dir, err := markers.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func page(t *testing.T, name ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{root(t), "docs"}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Every preset has its page and its row, and there are no others.
func TestEveryPresetHasItsPage(t *testing.T) {
	index := page(t, "providers.md")
	var want []string
	for _, p := range validate.Presets() {
		want = append(want, p.Name+".md")
		if !strings.Contains(index, "| ["+p.Name+"](providers/"+p.Name+".md) |") {
			t.Errorf("providers.md has no row for %s", p.Name)
		}
		if !strings.Contains(page(t, "providers", p.Name+".md"), "(`"+p.Name+"`)\n") {
			t.Errorf("the page of %s does not name it in its title", p.Name)
		}
	}
	entries, err := os.ReadDir(filepath.Join(root(t), "docs", "providers"))
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("pages %q, presets %q", have, want)
	}
}

// A quoted line is what a report says there, and each trap of the preset is on
// its page.
func TestFixesAreThoseOfReports(t *testing.T) {
	_, codes := validate.Codes()
	for _, p := range validate.Presets() {
		known := map[string]bool{}
		for _, info := range codes {
			known[info.Fix] = true
		}
		text := page(t, "providers", p.Name+".md")
		for _, trap := range p.Traps {
			known[trap.Fix] = true
			if !strings.Contains(text, "\n> "+trap.Fix+"\n") {
				t.Errorf("%s: the page lacks the line: %s", p.Name, trap.Fix)
			}
		}
		mistakes := strings.Count(section(text, "## What goes wrong here"), "\n**")
		if mistakes < 3 {
			t.Errorf("%s: %d mistakes", p.Name, mistakes)
		}
		for line := range strings.Lines(text) {
			if quoted, ok := strings.CutPrefix(strings.TrimSpace(line), "> "); ok && !known[quoted] {
				t.Errorf("%s: no report says: %s", p.Name, quoted)
			}
		}
		if section(text, "## From memory") == "" {
			t.Errorf("%s does not say what is from memory", p.Name)
		}
	}
}

func section(text, title string) string {
	_, after, _ := strings.Cut(text, "\n"+title+"\n")
	before, _, _ := strings.Cut(after, "\n## ")
	return before
}

var (
	variable = regexp.MustCompile(`\$\{([A-Z_]+)\}`)
	fileKey  = regexp.MustCompile(`(ca_file): \S+`)
)

// Every configuration is one that serve starts with, uses the page's preset,
// and accepts a right token of the provider. [AZ-04 CL-10 JK-22]
func TestConfigurationsLoad(t *testing.T) {
	ca := authority(t)
	for _, p := range validate.Presets() {
		blocks := 0
		for _, block := range readme.Blocks(page(t, "providers", p.Name+".md")) {
			if block.Language != "yaml" {
				continue
			}
			blocks++
			t.Run(fmt.Sprintf("%s line %d", p.Name, block.Line), func(t *testing.T) {
				for _, m := range variable.FindAllStringSubmatch(block.Text, -1) {
					t.Setenv(m[1], "a secret of the page")
				}
				text := fileKey.ReplaceAllString(block.Text, "$1: "+filepath.ToSlash(ca))
				file, err := config.Parse(p.Name+".md", []byte(frame+text))
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range file.Issuers {
					if i.Preset != p.Name {
						t.Errorf("issuer %s has preset %s", i.Issuer, i.Preset)
					}
				}
				service, err := server.New(t.Context(), file, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Fatal(err)
				}
				if err := service.Close(); err != nil {
					t.Error(err)
				}
				if !p.AnswersOnly {
					accepts(t, file, p.Name)
				}
			})
		}
		if blocks == 0 {
			t.Errorf("%s: no configuration", p.Name)
		}
	}
}

// Every Go value compiles.
func TestGoCompiles(t *testing.T) {
	source := prelude
	for _, p := range validate.Presets() {
		values := 0
		for _, block := range readme.Blocks(page(t, "providers", p.Name+".md")) {
			if block.Language == "go" {
				source += "\nvar _ = " + block.Text
				values++
			}
			if block.Language == "go" && p.Name != "generic" && !strings.Contains(block.Text, `"`+p.Name+`"`) {
				t.Errorf("%s: the Go value has another preset", p.Name)
			}
		}
		if values != 1 {
			t.Errorf("%s: %d Go values", p.Name, values)
		}
	}
	dir := t.TempDir()
	file, overlay := filepath.Join(dir, "block.go"), filepath.Join(dir, "overlay.json")
	const pkg = "internal/tools/providers/block"
	raw, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root(t), filepath.FromSlash(pkg), "block.go"): file},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{file: []byte(source), overlay: raw} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", os.DevNull, "-overlay", overlay, "./"+pkg)
	build.Dir = root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// authority writes a certificate that can stand in a ca_file.
func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
