package main

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/bearward/bearward/internal/demo"
	"github.com/bearward/bearward/internal/prove"
)

const maxInput = 1 << 20

// text is an argument, or standard input if it is -, without space around.
func text(arg string, in io.Reader) (string, error) {
	if arg == "-" {
		read, err := io.ReadAll(io.LimitReader(in, maxInput))
		if err != nil {
			return "", err
		}
		arg = string(read)
	}
	return strings.TrimSpace(arg), nil
}

// schemed takes a token apart that was copied with its scheme.
func schemed(text string) (scheme, token string) {
	before, rest, ok := strings.Cut(text, " ")
	for _, scheme := range []string{"Bearer", "DPoP"} {
		if ok && strings.EqualFold(before, scheme) {
			return scheme, strings.TrimSpace(rest)
		}
	}
	return "", text
}

// clientKey is the key in the file, by default that of the demo's client.
func clientKey(path string) (*prove.Key, error) {
	if path == "" {
		key, err := demo.ClientKey()
		if err != nil {
			return nil, fmt.Errorf("%w; or name a key with --key FILE", err)
		}
		return key, nil
	}
	key, err := demo.ReadKey(path)
	if err != nil {
		return nil, usage("%s: %w", path, err)
	}
	return key, nil
}

// readCertificate reads the first certificate of a PEM file, which may have its
// key as well.
func readCertificate(path string) (*x509.Certificate, error) {
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, exitError{exitUsage, err}
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, usage("%s: no certificate in PEM", path)
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, usage("%s: %w", path, err)
		}
		return certificate, nil
	}
}
