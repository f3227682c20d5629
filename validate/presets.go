package validate

// presets is the table; see Preset.
var presets = map[string]Preset{
	"generic": {Title: "RFC 9068 access tokens"},
	"rfc9068": {Title: "RFC 9068 access tokens"},
}
