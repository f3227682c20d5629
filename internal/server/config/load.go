package config

import (
	"crypto/sha256"
	"io"
	"os"
	"reflect"
	"strings"
)

// Load reads and checks the file at path. A fault in its content is a
// *[Faults]; any other error means that it could not be read.
func Load(path string) (*File, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// Read returns what Parse checks: no more than it takes to see that a file is too
// long.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Parse checks the content of a file; name is what faults call it. ${NAME} in
// a value is the environment variable NAME, put in before the value gets its
// type; $${ is a literal ${. The error is a *[Faults]. Files that the content
// names are not opened.
func Parse(name string, data []byte) (*File, error) {
	file, faults := parse(name, data)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return file, nil
}

// Check is Load for who wants to know everything at once: to the faults of the
// content it adds the files that it names and that cannot be read.
func Check(path string) (*File, error) {
	data, err := Read(path)
	if err != nil {
		return nil, err
	}
	file, faults := parse(path, data)
	if len(faults.List) == 0 {
		return file, nil // whoever opens them says it
	}
	if file != nil {
		named(reflect.ValueOf(file).Elem(), "", func(key, name string, _ field) {
			if f, err := os.Open(name); err != nil {
				faults.List = append(faults.List, file.Fault(key, err))
			} else {
				_ = f.Close()
			}
		})
	}
	return nil, faults.Err()
}

// parse returns what could be read beside all faults.
func parse(name string, data []byte) (*File, *Faults) {
	faults := &Faults{Name: name}
	r := &reader{lookup: os.LookupEnv, faults: faults}
	root := r.read(data)
	if root == nil {
		return nil, faults
	}
	file := &File{name: name, places: places{}}
	d := &decoder{faults: faults, places: file.places, failed: map[string]bool{}, hidden: map[string]string{}}
	d.table(root, reflect.ValueOf(file).Elem(), "")
	c := &checker{file: file, decoder: d}
	c.check()
	file.secrets, file.sum = root.secrets(), sha256.Sum256(data)
	return file, faults
}

// Fault describes what is found out only when the file is put to use, at the
// place of a value; the path is like issuers[0].ca_file. It shows no value from
// the environment.
func (f *File) Fault(path string, err error) Fault {
	return Fault{Position: f.places.at(path), Text: f.Hide(err.Error())}
}

// Hide takes the values out of a text that came from the environment.
func (f *File) Hide(text string) string {
	for _, s := range f.secrets {
		text = strings.ReplaceAll(text, s, fromEnvironment)
	}
	return text
}

// Faults returns the list as one error, or nil if it is empty.
func (f *File) Faults(list ...Fault) error {
	return (&Faults{Name: f.name, List: list}).Err()
}
