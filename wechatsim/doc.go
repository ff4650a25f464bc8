// Package wechatsim is a stand-in for the WeChat Official Account platform: it
// speaks to a webhook as api.weixin.qq.com does, answers the calls an account
// makes, and keeps the platform's rules (signatures and safe mode, 5 seconds
// and three tries, tokens that expire, the 48-hour window and its counts,
// fields of notices that are checked, quotas, error codes on demand). It serves
// the demo's page with three phones, the tests and the benchmarks.
//
// Where a rule comes from is written at the rule: "WeChat" means the
// platform's published documents (developers.weixin.qq.com/doc/service),
// "(c)" what only its developer community reports.
//
// What must never come in: any package of the product. The stand-in shares no
// code with what it tests, so that one mistake cannot stand on both sides.
package wechatsim
