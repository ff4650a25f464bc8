package wechatsim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// WeChat, 消息加解密说明: AES-256-CBC, the key is base64(EncodingAESKey+"="),
// the IV its first 16 bytes, PKCS#7 padding to blocks of 32 bytes; the
// plaintext is random(16) + length(4, big endian) + message + app id.
const (
	aesKeySize = 32
	padBlock   = 32
	randomSize = 16
)

var errSealed = errors.New("wechatsim: the reply's encryption is not valid")

// sign is the platform's signature: SHA-1 over the sorted parts, in hex.
func sign(parts ...string) string {
	slices.Sort(parts)
	return sha1Hex(strings.Join(parts, ""))
}

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (a Account) aesKey() []byte {
	key, err := base64.StdEncoding.DecodeString(a.EncodingAESKey + "=")
	if err != nil {
		return nil // Options.check has refused it
	}
	return key
}

// seal encrypts a message for the account, giving the content of Encrypt.
func (a Account) seal(message []byte) (string, error) {
	key := a.aesKey()
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	plain := make([]byte, randomSize, randomSize+4+len(message)+len(a.AppID)+padBlock)
	if _, err := rand.Read(plain); err != nil {
		return "", err
	}
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(message)))
	plain = append(plain, message...)
	plain = append(plain, a.AppID...)
	pad := padBlock - len(plain)%padBlock
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, key[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

// open decrypts the content of Encrypt and checks padding, length and app id.
func (a Account) open(encrypted string) ([]byte, error) {
	key := a.aesKey()
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 {
		return nil, errSealed
	}
	cipher.NewCBCDecrypter(block, key[:aes.BlockSize]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > padBlock || pad > len(data) || !bytes.Equal(data[len(data)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errSealed
	}
	data = data[:len(data)-pad]
	if len(data) < randomSize+4 {
		return nil, errSealed
	}
	size := uint64(binary.BigEndian.Uint32(data[randomSize:]))
	rest := data[randomSize+4:]
	if size > uint64(len(rest)) || string(rest[size:]) != a.AppID {
		return nil, errSealed
	}
	return rest[:size], nil
}

func sameText(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
