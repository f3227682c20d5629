package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
)

// State says where a running demo is. It is kept in a file that only its user
// can read, so that bearward token, call and explain find the demo.
type State struct {
	Resource string `json:"resource"`
	Issuer   string `json:"issuer"`
	Stranger string `json:"stranger"` // an issuer that the guard does not know
	Control  string `json:"control"`  // rotates keys, takes the issuer down
	HTTP     string `json:"http"`
	Gin      string `json:"gin"`
	GRPC     string `json:"grpc"` // host and port
}

// ErrNotRunning says that no demo was found, and what to do.
var ErrNotRunning = errors.New("no demo is running: start one in another terminal with `bearward demo`")

// StatePath is where a demo of this user says where it is.
func StatePath() (string, error) {
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		var err error
		if dir, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "bearward", "demo.json"), nil
}

// Write publishes the state at path, for this user only. remove takes it away
// again, unless another demo has taken its place.
func (s State) Write(path string) (remove func() error, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "demo-*.json") // mode 0600
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(f.Name()))
	}
	return func() error {
		now, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || string(now) != string(text) {
			return err
		}
		return os.Remove(path)
	}, nil
}

// ReadState finds the running demo, or ErrNotRunning.
func ReadState() (State, error) {
	path, err := StatePath()
	if err != nil {
		return State{}, ErrNotRunning
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, ErrNotRunning
	}
	if err != nil {
		return State{}, err
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		return State{}, fmt.Errorf("%s: %w", path, err)
	}
	u, err := url.Parse(s.Issuer)
	if err != nil || !Loopback(u.Host) || !Loopback(s.GRPC) {
		return State{}, fmt.Errorf("%s does not describe a demo on loopback", path)
	}
	return s, nil
}

// Loopback reports that address, host and port, is a numeric address of this
// machine that no other one can reach.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
