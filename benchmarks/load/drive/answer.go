package drive

import (
	"bufio"
	"bytes"
	"errors"
	"strconv"
)

const (
	maxFields = 64
	maxBody   = 1 << 20
)

var (
	errNoAnswer = errors.New("what came back is no answer")
	errNoLength = errors.New("an answer without Content-Length, or a huge one")
)

// readAnswer reads an answer to its end and returns the status. Lines are as
// long as the reader's buffer at most.
func readAnswer(in *bufio.Reader) (status int, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	const version = "HTTP/1.1 "
	if len(line) < len(version)+3 || string(line[:len(version)]) != version {
		return 0, errNoAnswer
	}
	status, err = strconv.Atoi(string(line[len(version) : len(version)+3]))
	if err != nil || status < 200 || status > 599 {
		return 0, errNoAnswer
	}
	length := -1
	for range maxFields {
		if line, err = in.ReadSlice('\n'); err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return status, skip(in, length)
		}
		if n, ok := contentLength(line); ok {
			length = n
		}
	}
	return 0, errNoAnswer
}

func contentLength(line []byte) (int, bool) {
	const name = "content-length:"
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return 0, false
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(line[len(name):])))
	if err != nil {
		n = -1
	}
	return n, true
}

func skip(in *bufio.Reader, length int) error {
	if length < 0 || length > maxBody {
		return errNoLength
	}
	_, err := in.Discard(length)
	return err
}
