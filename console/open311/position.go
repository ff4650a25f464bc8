package open311

import "math"

// Open311 has positions in WGS84; China's maps, WeChat and the community's document
// have them in GCJ-02, which is off by some hundred metres by a fixed formula (the
// one that is found in every open converter, after "GCJ-02 to WGS-84", 2010). What
// comes out is good within a metre.

// The ellipsoid of the formula (Krasovsky 1940).
const (
	semiMajor    = 6378245.0 // metres
	eccentricity = 0.00669342162296594323
)

// toGCJ02 turns a position of WGS84 into one of GCJ-02. Outside China they are the
// same.
func toGCJ02(lat, lng float64) (gLat, gLng float64) {
	if lat < 0.8293 || lat > 55.8271 || lng < 72.004 || lng > 137.8347 {
		return lat, lng
	}
	dLat, dLng := offset(lat, lng)
	return lat + dLat, lng + dLng
}

// toWGS84 is the reverse, by coming nearer until it fits.
func toWGS84(gLat, gLng float64) (lat, lng float64) {
	lat, lng = gLat, gLng
	for range 8 {
		nLat, nLng := toGCJ02(lat, lng)
		lat, lng = lat-(nLat-gLat), lng-(nLng-gLng)
	}
	return lat, lng
}

// offset is by how much GCJ-02 differs, in degrees.
func offset(lat, lng float64) (dLat, dLng float64) {
	x, y := lng-105, lat-35
	wave := (20*math.Sin(6*x*math.Pi) + 20*math.Sin(2*x*math.Pi)) * 2 / 3
	dLat = -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x)) + wave +
		(20*math.Sin(y*math.Pi)+40*math.Sin(y/3*math.Pi))*2/3 + (160*math.Sin(y/12*math.Pi)+320*math.Sin(y*math.Pi/30))*2/3
	dLng = 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x)) + wave +
		(20*math.Sin(x*math.Pi)+40*math.Sin(x/3*math.Pi))*2/3 + (150*math.Sin(x/12*math.Pi)+300*math.Sin(x/30*math.Pi))*2/3
	radians := lat * math.Pi / 180
	magic := 1 - eccentricity*math.Sin(radians)*math.Sin(radians)
	dLat = dLat * 180 / (semiMajor * (1 - eccentricity) / (magic * math.Sqrt(magic)) * math.Pi)
	dLng = dLng * 180 / (semiMajor / math.Sqrt(magic) * math.Cos(radians) * math.Pi)
	return dLat, dLng
}
