package demo

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Publish writes the state to path, and beside it what the demo's client proves
// its tokens with, all for this user only. remove takes away what no other demo
// needs.
func (d *Demo) Publish(path string) (remove func() error, err error) {
	dir := filepath.Dir(path)
	if err := d.wallet.keep(dir); err != nil {
		return nil, err
	}
	d.JKT, d.Files = d.wallet.key.Thumbprint(), dir
	files, err := d.wallet.files()
	if err != nil {
		return nil, err
	}
	var written []string
	forget := func() error {
		var faults []error
		for _, name := range written {
			faults = append(faults, discard(name))
		}
		return errors.Join(faults...)
	}
	for name, text := range files {
		written = append(written, d.file(name))
		if err := replace(d.file(name), text); err != nil {
			return nil, errors.Join(err, forget())
		}
	}
	removeState, err := d.Write(path)
	if err != nil {
		return nil, errors.Join(err, forget())
	}
	return func() error { return errors.Join(removeState(), forget()) }, nil
}

// file is where a certificate is. Demos that run at the same time have ports of
// their own.
func (s State) file(certificate string) string {
	return filepath.Join(s.Files, certificate+"-"+s.TLS[strings.LastIndexByte(s.TLS, ':')+1:]+".pem")
}

// replace puts a file with the text into place, for this user only.
func replace(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func discard(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
