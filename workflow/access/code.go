package access

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// codeLetters has no two that look or sound alike on paper.
const codeLetters = "ACDEFGHJKMNPQRTUVWXY3479"

// NewBindCode is a fresh one-time code by which somebody binds their WeChat, to be read
// out or written down.
func NewBindCode() string {
	var code strings.Builder
	for range 8 {
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(codeLetters)))) // crypto/rand never fails
		code.WriteByte(codeLetters[n.Int64()])
	}
	return code.String()
}
