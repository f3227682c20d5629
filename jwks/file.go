package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bearward/bearward/internal/egress"
	"github.com/bearward/bearward/internal/jose"
	"github.com/bearward/bearward/validate"
)

// fileCheck is how often a use looks whether the file changed.
const fileCheck = 2 * time.Second

var errUnreadable = errors.New("the key file cannot be read")

// FileConfig says which file to read and how.
type FileConfig struct {
	Path       string
	Algorithms []string         // allow-list; nil: validate.DefaultAlgorithms
	Now        func() time.Time // nil: time.Now
	Logger     *slog.Logger     // nil: slog.Default
}

// FileSource is a JWK Set in a file, read again when the file changes. It is a
// validate.KeySource. While the file cannot be read the last good set stays.
type FileSource struct {
	config FileConfig
	state  atomic.Pointer[fileState]
	next   atomic.Int64 // when to look again, in nanoseconds since epoch
	epoch  time.Time
	mu     sync.Mutex // only against two readers; nobody waits for it
}

type fileState struct {
	set     *keySet
	info    os.FileInfo // of the file that was read; nil: read again
	read    time.Time
	skipped int
	private int
	lastErr error

	reads, failures uint64 // since start
}

// File reads the set in the file at path with the default algorithms.
func File(path string) (*FileSource, error) { return FileWith(FileConfig{Path: path}) }

// FileWith reads the set that cfg names. A file that is no usable set now is
// an error.
func FileWith(cfg FileConfig) (*FileSource, error) {
	algs, err := allowList(cfg.Algorithms)
	if cfg.Algorithms = algs; err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	f := &FileSource{config: cfg, epoch: cfg.Now()}
	f.reread(f.epoch) // [JK-23]
	if st := f.state.Load(); st.set == nil {
		return nil, fmt.Errorf("key file %s: %w", cfg.Path, st.lastErr)
	}
	return f, nil
}

// Keys returns the keys for kid and alg; see validate.KeySource. One of its
// callers reads the file when it changed; the others use what there is.
func (f *FileSource) Keys(_ context.Context, kid, alg string) ([]*validate.Key, error) {
	f.use()
	return f.state.Load().set.find(kid, jose.Canonical(alg)), nil
}

// Live reports whether key is in the current set. It counts as a use.
func (f *FileSource) Live(key *validate.Key) bool {
	f.use()
	return f.state.Load().set.live[key] // [JK-18]
}

// Health tells the state; Issuer stays empty.
func (f *FileSource) Health() Health {
	st := f.state.Load()
	return Health{
		Loaded: true, LastSuccess: st.read, Age: f.config.Now().Sub(st.read), Keys: len(st.set.live),
		Skipped: st.skipped, Fetches: st.reads, Failures: st.failures, LastError: describe(st.lastErr), Stale: st.lastErr != nil,
		NextTry: f.epoch.Add(time.Duration(f.next.Load())),
	}
}

// Load has nothing to do: FileWith has read the file.
func (f *FileSource) Load(context.Context) error { return nil }

// Close has nothing to do.
func (f *FileSource) Close() error { return nil }

func (f *FileSource) use() {
	now := f.config.Now()
	if int64(now.Sub(f.epoch)) < f.next.Load() || !f.mu.TryLock() {
		return
	}
	defer f.mu.Unlock()
	f.reread(now)
}

// reread takes over the file if it changed since it was read.
func (f *FileSource) reread(now time.Time) {
	f.next.Store(int64(now.Add(fileCheck).Sub(f.epoch)))
	old := f.state.Load()
	if old == nil {
		old = &fileState{}
	}
	info, err := os.Stat(f.config.Path)
	if err != nil {
		err = fmt.Errorf("%w: %w", errUnreadable, err)
	} else if unchanged(old.info, info) {
		return
	}
	next := &fileState{info: info, read: now, reads: old.reads + 1, failures: old.failures}
	var keys []jose.JWK
	var skipped []jose.Skipped
	if err == nil {
		keys, skipped, err = readSet(f.config.Path)
	}
	for _, s := range skipped {
		if next.skipped++; s.Private {
			next.private++
		}
	}
	if err == nil {
		next.set, err = newSet(keys, f.config.Algorithms, old.set)
	}
	if err != nil { // [JK-16]
		kept := *old
		kept.info, kept.lastErr = nil, err
		kept.reads, kept.failures = old.reads+1, old.failures+1
		next = &kept
	}
	f.state.Store(next)
	f.log(old, next)
}

func (f *FileSource) log(old, next *fileState) {
	l := f.config.Logger.With("file", f.config.Path)
	if next.private > old.private { // [JK-09]
		l.Error("the key file contains private keys: they are not used and should not be there", "keys", next.private)
	}
	if old.set != nil && old.lastErr == nil && next.lastErr != nil {
		l.Error("the key file cannot be used, the last good keys stay", "error", describe(next.lastErr))
	}
	if old.lastErr != nil && next.lastErr == nil {
		l.Info("the key file is used again")
	}
}

func unchanged(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

func readSet(path string) ([]jose.JWK, []jose.Skipped, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	defer func() { _ = file.Close() }()
	doc, err := io.ReadAll(io.LimitReader(file, egress.DefaultMaxBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if len(doc) > egress.DefaultMaxBytes { // [JK-07]
		return nil, nil, egress.ErrTooLarge
	}
	return jose.ParseSet(string(doc), maxKeys)
}
