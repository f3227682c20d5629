package examples

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const program = "/usr/local/bin/bearward"

// unit writes a unit whose program is there, and returns its path.
func unit(t *testing.T, text string) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("BEARWARD_REQUIRE_ALL") == "1" {
			t.Fatal("there is no systemd-analyze")
		}
		t.Skip("there is no systemd-analyze")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bearward.service")
	if err := os.WriteFile(path, []byte(strings.Replace(text, program, self, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// verify is what systemd says about a unit: nothing, if it is sound.
func verify(ctx context.Context, path string) string {
	out, err := exec.CommandContext(ctx, "systemd-analyze", "verify", "--man=no", path).CombinedOutput()
	if err != nil {
		return err.Error() + ": " + string(out)
	}
	return string(out)
}

// systemd understands every line of the unit, and it is as closed as it says.
func TestUnit(t *testing.T) {
	text := read(t, "systemd", "bearward.service")
	if !strings.Contains(text, "ExecStart="+program+" serve --config ") {
		t.Errorf("the unit does not start %s", program)
	}
	path := unit(t, text)
	if said := verify(t.Context(), path); said != "" {
		t.Error(said)
	}
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", path).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if said := verify(t.Context(), unit(t, strings.Replace(text, "ProtectHome=", "ProtectHomes=", 1))); !strings.Contains(said, "ProtectHomes") {
		t.Errorf("a key that is misspelt: got %q", said)
	}
}

// The image is one static binary, whose user has no rights.
func TestImage(t *testing.T) {
	text := read(t, "docker", "Dockerfile")
	_, last, found := strings.Cut(text, "\nFROM scratch\n")
	if !found || strings.Contains(last, "\nFROM ") || strings.Contains(last, "RUN ") {
		t.Error("the image is not built from scratch")
	}
	for _, line := range []string{"USER 65532:65532", `ENTRYPOINT ["/bearward"]`} {
		if !slices.Contains(strings.Split(last, "\n"), line) {
			t.Errorf("%s is missing", line)
		}
	}
	if !strings.Contains(text, "\nRUN make build BINARY=/bearward\n") || !regexp.MustCompile(`(?m)^\tCGO_ENABLED=0 .* -trimpath `).MatchString(read(t, "..", "Makefile")) {
		t.Error("the binary is not that of make build")
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, "..", "go.mod"))
	if version == nil || !strings.Contains(text, "FROM golang:"+version[1]+" AS build\n") {
		t.Errorf("the image is built by another Go than %v", version)
	}
}
