package doctor

import (
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/bearward/bearward/internal/server/config"
)

const shortestSecret = 4 // bytes; replacing less would only garble texts

// secretsOf returns what a file keeps secret, as it is and as it is sent, the
// longest first.
func secretsOf(file *config.File) (all []string) {
	add := func(secret string) {
		for _, form := range []string{secret, url.QueryEscape(secret)} {
			if len(form) >= shortestSecret && !slices.Contains(all, form) {
				all = append(all, form)
			}
		}
	}
	for i := range file.Issuers {
		if in := file.Issuers[i].Introspection; in != nil {
			add(in.ClientSecret)
			for _, name := range []string{in.ClientSecretFile, in.TokenFile} {
				add(contentOf(name))
			}
		}
	}
	if file.Redis != nil {
		if u, err := url.Parse(file.Redis.URL); err == nil && u.User != nil {
			password, _ := u.User.Password()
			add(password)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

func contentOf(name string) string {
	if name == "" {
		return ""
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

// concealed takes secrets out of words, pairs of a name and a text.
func (c *chart) concealed(words []string) []string {
	out := slices.Clone(words)
	for i := 1; i < len(out); i += 2 {
		out[i] = c.conceal(out[i])
	}
	return out
}

// conceal takes secrets out of a text, should a server send one back, and what
// the file has from the environment.
func (c *chart) conceal(text string) string {
	if c == nil {
		return text
	}
	for _, s := range c.secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return c.file.Hide(text)
}
