package dpop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/jose"
)

const (
	secretBytes    = 32              // of a secret in the file
	maxSecretsFile = 64 << 10        // bytes
	secretsCheck   = 2 * time.Second // how often a use looks into the file
)

var (
	errSecretsFile    = errors.New("not a regular file")
	errSecretsTooLong = fmt.Errorf("more than %d bytes", maxSecretsFile)
	errNoSecret       = errors.New("no secret in it")
	errManySecrets    = fmt.Errorf("more than %d nonce keys", maxSecrets)
	errSecret         = fmt.Errorf("not %d bytes in unpadded base64url", secretBytes)
)

// use returns the current keys. One of its callers looks into the file when it
// is time; the others use what there is.
func (n *nonces) use(now time.Time) *keyring {
	if n.path != "" && n.due(now) && n.mu.TryLock() {
		defer n.mu.Unlock()
		n.reread(now)
	}
	return n.ring.Load()
}

// due is also true after a clock went back.
func (n *nonces) due(now time.Time) bool {
	since := now.Sub(n.start) - time.Duration(n.looked.Load())
	return since.Abs() >= secretsCheck
}

// reread takes over the secrets of the file if they changed. It compares them
// and not the file's date, which two writes may share: so little is read as
// quickly as a date. Nonces of secrets that are gone are foreign from now on.
func (n *nonces) reread(now time.Time) {
	n.looked.Store(int64(now.Sub(n.start)))
	log := n.logger.With("file", n.path)
	secrets, err := readSecrets(n.path)
	if err != nil {
		if !n.failed {
			log.Error("the nonce key file cannot be used, the last good keys stay", "error", err.Error())
		}
		n.failed = true
		return
	}
	if n.failed {
		log.Info("the nonce key file is used again")
	}
	n.failed = false
	if slices.EqualFunc(secrets, n.ring.Load().secrets, bytes.Equal) {
		return
	}
	n.ring.Store(&keyring{context: n.context, secrets: secrets})
}

func readSecrets(path string) ([][]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would keep us waiting
		return nil, errSecretsFile
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxSecretsFile+1))
	if err != nil {
		return nil, err
	}
	return parseSecrets(string(text))
}

// parseSecrets reads one secret a line. Blank lines and those that begin with #
// say nothing. The error names the line and never shows it.
func parseSecrets(text string) (secrets [][]byte, err error) {
	if len(text) > maxSecretsFile { // [DP-27]
		return nil, errSecretsTooLong
	}
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		secret, err := jose.Decode(line)
		if err != nil || len(secret) != secretBytes { // [DP-24]
			return nil, fmt.Errorf("line %d: %w", number, errSecret)
		}
		if len(secrets) == maxSecrets { // [DP-27]
			return nil, fmt.Errorf("line %d: %w", number, errManySecrets)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 { // [DP-24]
		return nil, errNoSecret
	}
	return secrets, nil
}
