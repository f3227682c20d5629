// Package readme checks the README: its programs compile as they are printed,
// its fragments compile inside a function, and it stays short.
package readme

import (
	"bufio"
	"strings"
)

// Block is one fenced code block.
type Block struct {
	Language string
	Text     string
	Line     int // of its first line of code
}

// Blocks returns the fenced code blocks of a Markdown text.
func Blocks(text string) []Block {
	var blocks []Block
	var current *Block
	scanner := bufio.NewScanner(strings.NewReader(text))
	for n := 1; scanner.Scan(); n++ {
		line := scanner.Text()
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && current == nil:
			current = &Block{Language: language, Line: n + 1}
		case fence:
			blocks = append(blocks, *current)
			current = nil
		case current != nil:
			current.Text += line + "\n"
		}
	}
	return blocks
}

// Program reports whether the block is a complete Go file.
func (b Block) Program() bool {
	for line := range strings.Lines(b.Text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		return strings.HasPrefix(line, "package ")
	}
	return false
}
