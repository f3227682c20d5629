package jwks

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
)

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsReadAgain(t *testing.T) { // [JK-23]
	path := filepath.Join(t.TempDir(), "keys.json")
	synctest.Test(t, func(t *testing.T) {
		writeFile(t, path, setOf("a", "b"))
		log := &logs{}
		f, err := FileWith(FileConfig{Path: path, Logger: slog.New(slog.NewTextHandler(log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		has(t, f, "a", "b")
		a, _ := f.Keys(t.Context(), "a", "EdDSA")
		b, _ := f.Keys(t.Context(), "b", "EdDSA")

		writeFile(t, path, setOf("b", "c"))
		has(t, f, "a") // not looked at again yet
		time.Sleep(fileCheck)
		if f.Live(a[0]) || !f.Live(b[0]) { // [JK-18]
			t.Error("live is wrong after the change")
		}
		has(t, f, "b", "c")
		hasNot(t, f, "a")

		for _, broken := range []string{``, `{"keys":[]}`, `{"keys":[`, strings.Repeat(" ", egress.DefaultMaxBytes+1)} { // [JK-16]
			writeFile(t, path, broken)
			time.Sleep(fileCheck)
			has(t, f, "b", "c")
			if h := f.Health(); h.LastError == "" || !h.Stale || !h.Loaded || h.Keys != 2 {
				t.Errorf("health %+v", h)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(fileCheck)
		has(t, f, "b")
		if h := f.Health(); h.LastError != errUnreadable.Error() {
			t.Errorf("health %+v", h)
		}
		writeFile(t, path, `{"keys":[`+jwkOf("d", "d", "")+`,`+jwkOf("e", "e", `,"d":"AA"`)+`]}`)
		time.Sleep(fileCheck)
		has(t, f, "d")
		hasNot(t, f, "b", "e")
		if log.count("private keys") != 1 || log.count("last good keys stay") != 1 || log.count("used again") != 1 { // [JK-09]
			t.Error("log is not as expected")
		}
		if h := f.Health(); h.LastError != "" || h.Skipped != 1 || h.Keys != 1 || h.Age != 0 || h.Fetches != 8 || h.Failures != 5 {
			t.Errorf("health %+v", h)
		}
		if f.Load(t.Context()) != nil || f.Close() != nil {
			t.Error("Load and Close have nothing to do")
		}
	})
}

func TestUnchangedFileIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	synctest.Test(t, func(t *testing.T) {
		writeFile(t, path, setOf("a"))
		f, err := File(path)
		if err != nil {
			t.Fatal(err)
		}
		before := f.state.Load()
		time.Sleep(time.Hour)
		has(t, f, "a")
		if f.state.Load() != before {
			t.Error("an unchanged file was read again")
		}
	})
}

func TestFileFaults(t *testing.T) { // [JK-23]
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.json")
	if _, err := File(path); !errors.Is(err, errUnreadable) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := File(dir); !errors.Is(err, errUnreadable) {
		t.Errorf("a directory: %v", err)
	}
	for text, want := range map[string]error{
		"":            jose.ErrSet,
		`{"keys":[]}`: jose.ErrEmptySet,
		strings.Repeat(" ", egress.DefaultMaxBytes) + setOf("a"): egress.ErrTooLarge, // [JK-07]
	} {
		writeFile(t, path, text)
		if _, err := File(path); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	writeFile(t, path, setOf("a"))
	if _, err := FileWith(FileConfig{Path: path, Algorithms: []string{"none"}}); err == nil { // [JO-03]
		t.Error("none was allowed")
	}
	if _, err := FileWith(FileConfig{Path: path, Algorithms: []string{"RS256"}}); !errors.Is(err, errNoFit) {
		t.Errorf("nothing fits: %v", err)
	}
}
