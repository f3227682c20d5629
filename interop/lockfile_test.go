package interop

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The lockfile pins every package by its hash and names no host, so that it
// installs from whatever registry npm is configured for.
func TestLockfileNamesNoHost(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(serverDir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"://", `"resolved"`} {
		if strings.Contains(string(raw), word) {
			t.Errorf("package-lock.json contains %s: remove the `resolved` and `funding` members that npm added", word)
		}
	}
	for entry := range strings.SplitSeq(string(raw), "\n    \"node_modules/") {
		if strings.HasPrefix(entry, "{") {
			continue // what comes before the first package
		}
		if !strings.Contains(entry, `"integrity": "sha512-`) {
			t.Errorf("no hash for %q", strings.SplitN(entry, `"`, 2)[0])
		}
	}
}
