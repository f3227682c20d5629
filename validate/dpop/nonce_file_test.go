package dpop

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

func secretLine(fill byte) string { return jose.Encode(nonceSecret(fill)) + "\n" }

// nonceFile is a file with secrets, and a clock.
type nonceFile struct {
	path string
	now  time.Time
	log  bytes.Buffer
}

func (f *nonceFile) config() *Config {
	return &Config{NonceKeysFile: f.path, Context: "a", Clock: func() time.Time { return f.now }, Logger: slog.New(slog.NewTextHandler(&f.log, nil))}
}

// write replaces the file, and lets the time pass after which it is looked at.
func (f *nonceFile) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(secretsCheck)
}

func newNonceFile(t *testing.T, text string) *nonceFile {
	t.Helper()
	f := &nonceFile{path: filepath.Join(t.TempDir(), "nonce.keys"), now: nonceNow}
	f.write(t, text)
	return f
}

func TestNonceFileRotates(t *testing.T) { // [DP-24 DP-27]
	f := newNonceFile(t, "# ours\n\n"+secretLine(1))
	n, err := newNonces(f.config())
	if err != nil {
		t.Fatal(err)
	}
	// one by one, as secrets are exchanged without a nonce refused
	of := func(fill byte) string { return noncesWith(t, "a", nonceSecret(fill)).issue(f.now) }
	for _, step := range []struct {
		file          string
		issues        byte
		takes, leaves string
	}{
		{secretLine(1), 1, "\x01", "\x02\x03"},
		{secretLine(1) + secretLine(2), 1, "\x01\x02", "\x03"},
		{secretLine(2) + secretLine(1), 2, "\x01\x02", "\x03"},
		{secretLine(2), 2, "\x02", "\x01\x03"},
		{secretLine(3), 3, "\x03", "\x01\x02"},
		{"\r\n# new\r\n" + jose.Encode(nonceSecret(1)) + "\r\n \t\r\n" + jose.Encode(nonceSecret(2)), 1, "\x01\x02", "\x03"},
	} {
		f.write(t, step.file)
		if n.issue(f.now) != of(step.issues) {
			t.Errorf("%q: another secret issues", step.file)
		}
		for _, fill := range []byte(step.takes) {
			live(t, n, of(fill), f.now, f.now)
		}
		for _, fill := range []byte(step.leaves) {
			live(t, n, of(fill), f.now, never)
		}
	}
	if f.log.Len() > 0 {
		t.Errorf("log: %s", &f.log)
	}
}

// A check alone looks into the file, but not before it is time.
func TestNonceFileIsReadInTime(t *testing.T) { // [DP-24]
	f := newNonceFile(t, secretLine(1))
	n, err := newNonces(f.config())
	if err != nil {
		t.Fatal(err)
	}
	old := n.issue(f.now)
	f.write(t, secretLine(2))
	live(t, n, old, f.now.Add(-1), f.now.Add(-secretsCheck))
	live(t, n, old, f.now, never)

	// the same secrets are the same keys
	ring := n.ring.Load()
	f.write(t, "# only a remark\n"+secretLine(2))
	n.issue(f.now)
	if n.ring.Load() != ring {
		t.Error("keys are derived again without need")
	}
	// the clock went back
	f.write(t, secretLine(3))
	f.now = f.now.Add(-time.Hour)
	if n.issue(f.now); n.ring.Load() == ring {
		t.Error("not looked into after the clock went back")
	}
}

func TestNonceFileGoesBad(t *testing.T) { // [DP-24 DP-27]
	f := newNonceFile(t, secretLine(1))
	n, err := newNonces(f.config())
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "# nothing\n", secretLine(2) + "junk\n", secretLine(2) + strings.Repeat("\n", maxSecretsFile)} {
		f.write(t, bad)
		live(t, n, n.issue(f.now), f.now, f.now)
		live(t, n, noncesWith(t, "a", nonceSecret(2)).issue(f.now), f.now, never)
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(time.Hour)
	live(t, n, noncesWith(t, "a", nonceSecret(1)).issue(f.now), f.now, f.now)
	if log := f.log.String(); strings.Count(log, "\n") != 1 || strings.Count(log, "level=ERROR") != 1 || !strings.Contains(log, "no secret in it") {
		t.Errorf("log: %s", log)
	}
	f.log.Reset()
	f.write(t, secretLine(2))
	live(t, n, noncesWith(t, "a", nonceSecret(2)).issue(f.now), f.now, f.now)
	live(t, n, noncesWith(t, "a", nonceSecret(1)).issue(f.now), f.now, never)
	n.issue(f.now.Add(time.Hour))
	if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "used again") {
		t.Errorf("log: %s", log)
	}
	f.log.Reset()
	f.write(t, "junk")
	n.issue(f.now)
	if log := f.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "line 1") || strings.Contains(log, "junk") { // [PV-01]
		t.Errorf("log: %s", log)
	}
}

func TestNonceFileFaults(t *testing.T) { // [DP-24 DP-27 PV-01]
	secret := strings.TrimSpace(secretLine(0xfb))
	for want, texts := range map[string][]string{
		"no secret in it": {"", "\n\r\n \n# " + secret},
		"line 1: not 32 bytes": {
			secret[:42], secret + secret, " " + secret, secret + " ",
			secret + "\r\r\n", secret + "\r" + secret, secret + " # ours", " # ours\n" + secret,
			"\ufeff" + secret, secret[:42] + "t", strings.ReplaceAll(secret, "-", "+"), secret[:20] + "\x00" + secret[21:],
		},
		"line 2: not 32 bytes":             {secret + "\n" + secret + "A"},
		"line 3: not 32 bytes":             {"#\n\n" + secret + "=\n"},
		"line 17: more than 16 nonce keys": {strings.Repeat(secret+"\n", maxSecrets+1)},
		"more than 65536 bytes":            {secret + strings.Repeat("\n", maxSecretsFile), secret + "\n#" + strings.Repeat("a", maxSecretsFile<<1)},
	} {
		for _, text := range texts {
			_, err := newNonces(newNonceFile(t, text).config())
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "dpop: nonce key file ") {
				t.Errorf("%.60q: got %v, want %s", text, err, want)
			}
			if err != nil && strings.Contains(err.Error(), secret[:8]) {
				t.Errorf("a secret in %v", err)
			}
		}
	}
	dir := t.TempDir()
	if _, err := newNonces((&nonceFile{path: dir}).config()); !errors.Is(err, errSecretsFile) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := newNonces((&nonceFile{path: filepath.Join(dir, "none")}).config()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	rest := maxSecretsFile - len(secret) - 2
	for _, text := range []string{strings.Repeat(secret+"\n", maxSecrets), secret, secret + "\n#" + strings.Repeat("a", rest)} {
		if _, err := newNonces(newNonceFile(t, text).config()); err != nil {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// Nobody waits for the one who reads.
func TestNonceFileIsReadByOne(t *testing.T) {
	f := newNonceFile(t, secretLine(1))
	n, err := newNonces(f.config())
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, secretLine(2))
	n.mu.Lock() // somebody reads
	live(t, n, noncesWith(t, "a", nonceSecret(1)).issue(f.now), f.now, f.now)
	n.mu.Unlock()
	live(t, n, noncesWith(t, "a", nonceSecret(1)).issue(f.now), f.now, never)
}

func TestNonceFileConcurrently(t *testing.T) {
	f := newNonceFile(t, secretLine(1))
	n, err := newNonces(f.config())
	if err != nil {
		t.Fatal(err)
	}
	start := f.now
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				now := start.Add(time.Duration(i) * time.Second)
				n.check(n.issue(now), now)
			}
		})
	}
	for i := range 50 {
		f.write(t, secretLine(byte(i)))
	}
	all.Wait()
	f.write(t, secretLine(9))
	f.now = f.now.Add(time.Hour)
	live(t, n, noncesWith(t, "a", nonceSecret(9)).issue(f.now), f.now, f.now)
}

func FuzzNonceFile(f *testing.F) {
	for _, seed := range []string{"", secretLine(1), "# a\r\n\r\n" + secretLine(1) + secretLine(2), secretLine(1) + "x", "\xff\n", strings.Repeat(secretLine(3), 17), secretLine(1) + " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secrets, err := parseSecrets(text)
		if (err == nil) != (len(secrets) > 0) || len(secrets) > maxSecrets {
			t.Fatalf("%d secrets and %v", len(secrets), err)
		}
		for _, s := range secrets {
			if len(s) != secretBytes || !strings.Contains(text, jose.Encode(s)) {
				t.Fatal("no secret of the file")
			}
		}
	})
}
