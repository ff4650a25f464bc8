// Package configs is the room of what can be changed without a build: the
// words that people read, the taxonomy, the lexicon, the model with the samples
// that it was trained of, what a language model is told to do, the defaults of
// the settings, and the demo community. It only embeds the files beside it; who
// reads them gives them meaning.
//
// What must never come in: code that decides, and secrets.
package configs

import "embed"

// Files are all files of this room, by their path within it.
//
//go:embed *.yaml *.html pages/*.html advice.txt sentences.txt understand.model demo/*.yaml demo/paper.png samples/*.tsv
var Files embed.FS

// Model is the shipped model as it lies in the program, which is read where it lies.
//
//go:embed understand.model
var Model string

// Read gives a file that is part of the build; a missing one is a broken
// build, so it panics.
func Read(name string) []byte {
	data, err := Files.ReadFile(name)
	if err != nil {
		panic("configs: the binary lacks " + name)
	}
	return data
}
