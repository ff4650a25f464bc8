package access

import (
	"net/netip"
	"strings"
)

// Client names who asks, to count how often: their address without the port, of IPv6
// the network that one household has.
func Client(remote string) string {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return "unknown"
	}
	a := at.Addr().Unmap().WithZone("")
	if p, err := a.Prefix(64); err == nil && a.Is6() {
		return p.String()
	}
	return a.String()
}

// Behind is where a request came from that a proxy passed on: the last address in
// X-Forwarded-For that is none of our own proxies'. Of what comes from anywhere else
// the header is not believed: anybody can write one.
func Behind(remote string, forwarded []string, proxies []netip.Prefix) string {
	trusted := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a.Unmap().WithZone("")) {
				return true
			}
		}
		return false
	}
	at, err := netip.ParseAddrPort(remote)
	if err != nil || !trusted(at.Addr()) {
		return remote
	}
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			return remote
		}
		if at = netip.AddrPortFrom(a, 0); !trusted(a) {
			break
		}
	}
	return at.String()
}
