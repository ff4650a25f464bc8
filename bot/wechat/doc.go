// Package wechat is the edge to the WeChat Official Account platform.
//
// Inward it is a closed gate: Gate takes the platform's webhook calls of any
// number of communities, lets through only what was signed (and in safe mode
// encrypted) by the platform a moment ago, reads the XML into an Inbound, and
// writes the Reply in the form that the account's mode wants. Outward it is a
// client: Client calls the platform's API with the one access token that all
// replicas share, and gives every failure as a typed error whose Action says
// what to do.
//
// Payload structs, AES and signatures come from github.com/silenceper/wechat;
// its server and its senders are not used, see
// docs/decisions/0001-the-sdk-for-shapes-not-for-traffic.md.
//
// What must never come in: anything about tickets, people or wording, storage,
// and other packages of this module. No error or log line of this package
// holds a token, a secret, an openid in full or what a person wrote.
package wechat
