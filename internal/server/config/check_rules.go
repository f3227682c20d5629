package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bearward/bearward/internal/server/route"
	"github.com/bearward/bearward/validate"
)

func (c *checker) rules() {
	c.document()
	c.patterns()
	for i := range c.file.Rules {
		rule, path := &c.file.Rules[i], fmt.Sprintf("rules[%d]", i)
		c.public(path, rule)
		c.scopes(path+".scopes", rule.Scopes)
		c.scopes(path+".any_scope", rule.AnyScope)
		for j, acr := range rule.ACR {
			here := fmt.Sprintf("%s.acr[%d]", path, j)
			if c.given(here) && !validate.ScopeToken(acr) { // [AZ-15]
				c.say(here, "%s cannot be an acr value in a challenge", quote(acr))
			}
		}
		if c.given(path+".max_age") && rule.MaxAge%time.Second != 0 {
			c.say(path+".max_age", "max_age is counted in whole seconds")
		}
		c.accepted(path, rule)
		c.sender(path, rule)
	}
}

// document wants some rules, and no setting of a document that is not there.
func (c *checker) document() {
	f := c.file
	given := c.given("openapi") || c.failed["openapi"]
	if _, there := c.places["rules"]; !there && !given {
		c.say("rules", "%s is missing", quote("rules"))
	}
	if !c.given("openapi_base_path") {
		return
	}
	switch base := f.OpenAPIBasePath; {
	case !given:
		c.say("openapi_base_path", "openapi_base_path is not used: there is no openapi")
	case base == "/":
	case strings.ContainsAny(base, "{} ") || strings.HasSuffix(base, "/") || route.Check(base) != nil:
		c.say("openapi_base_path", "%s is not the beginning of a path, like /v1", quote(base))
	}
}

// patterns checks what each rule matches, and that no request is matched by
// two rules of which none is more specific.
func (c *checker) patterns() {
	var sound []string
	var index []int
	for i, rule := range c.file.Rules {
		path := fmt.Sprintf("rules[%d].match", i)
		if !c.given(path) {
			continue
		}
		if err := route.Check(rule.Match); err != nil {
			if _, ok := c.hidden[path]; ok {
				err = errors.New(fromEnvironment + " is not a pattern that can match")
			}
			c.say(path, "%v", err)
			continue
		}
		sound, index = append(sound, rule.Match), append(index, i)
	}
	for _, conflict := range route.Conflicts(sound) {
		first, second := index[conflict[0]], index[conflict[1]]
		c.say(fmt.Sprintf("rules[%d].match", second), "%s and the rule in line %d match some requests in common and none of both is more specific",
			quote(c.file.Rules[second].Match), c.places.at(fmt.Sprintf("rules[%d].match", first)).Line)
	}
}

// public refuses demands on a rule that reads nothing.
func (c *checker) public(path string, rule *Rule) {
	if !rule.Public {
		return
	}
	_, known := schema(ruleType)
	for _, key := range known {
		if key != "match" && key != "public" && c.given(join(path, key)) {
			c.say(join(path, key), "%s is not used on a public rule: nothing is read there", quote(key))
		}
	}
}

// accepted checks the rule's issuers and that its audience is a part of what
// each of them accepts.
func (c *checker) accepted(path string, rule *Rule) {
	var names []string
	for _, issuer := range c.file.Issuers {
		names = append(names, issuer.Name)
	}
	for i, name := range rule.Issuers {
		here := fmt.Sprintf("%s.issuers[%d]", path, i)
		if c.given(here) && !slices.Contains(names, name) {
			c.say(here, "there is no issuer with the name %s%s", quote(name), suggest(name, names))
		}
	}
	for i, aud := range rule.Audience {
		here := fmt.Sprintf("%s.audience[%d]", path, i)
		for j, issuer := range c.file.Issuers {
			if c.failed[fmt.Sprintf("issuers[%d].audience", j)] || len(issuer.Audience) == 0 {
				continue
			}
			if len(rule.Issuers) > 0 && !slices.Contains(rule.Issuers, issuer.Name) {
				continue
			}
			if !c.failed[here] && !slices.Contains(issuer.Audience, aud) { // [AZ-10]
				c.say(here, "audience %s is not accepted from issuer %s: a rule can only narrow", quote(aud), quote(issuer.Name))
			}
		}
	}
}
