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
// can read, so that bearward token, proof, call and explain find the
// demo.
type State struct {
	Resource string `json:"resource"`
	Issuer   string `json:"issuer"`
	Stranger string `json:"stranger"` // an issuer that the guard does not know
	Control  string `json:"control"`  // rotates keys, takes the issuer down
	HTTP     string `json:"http"`
	Gin      string `json:"gin"`
	GRPC     string `json:"grpc"` // host and port
	TLS      string `json:"tls"`  // net/http, over TLS

	JKT   string `json:"jkt"`   // thumbprint of the client's key
	X5T   string `json:"x5t"`   // thumbprint of the client's certificate
	Files string `json:"files"` // directory with the client's key and certificates
	Nonce string `json:"nonce"` // secret of the guard's nonces
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
// again, and the client's key with it, unless another demo has taken its place.
func (s State) Write(path string) (remove func() error, err error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	if err := replace(path, text); err != nil {
		return nil, err
	}
	return func() error {
		now, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || string(now) != string(text) {
			return err
		}
		return errors.Join(os.Remove(path), discard(filepath.Join(filepath.Dir(path), keyFile)))
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
