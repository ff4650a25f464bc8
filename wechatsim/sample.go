package wechatsim

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"net/http"
)

// serveSample gives a photo to try with, drawn anew each time: a stairwell
// whose lamp is out, or with ?light=on is on.
func serveSample(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(stairwell(r.URL.Query().Get("light") == "on")) // the reader has gone
}

// stairwell draws 720×960 pixels: a wall, a flight of steps, a hanging lamp and
// the light it gives, with the grain of a phone's camera.
func stairwell(lit bool) []byte {
	const width, height = 720, 960
	lampX, lampY := 330+rand.Float64()*80, 210.0
	glow, floor := 0.10, 0.12
	if lit {
		glow, floor = 1.25, 0.42
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			fx, fy := float64(x), float64(y)
			base := surface(fx, fy)
			far := math.Hypot(fx-lampX, fy-lampY) / 420
			light := floor + glow/(1+far*far)
			switch {
			case math.Abs(fx-lampX) < 3 && fy < lampY-38: // the cord
				base, light = [3]float64{30, 30, 32}, floor+0.2
			case math.Hypot(fx-lampX, (fy-lampY)*0.85) < 36: // the bulb
				base, light = [3]float64{120, 122, 118}, 0.6
				if lit {
					base, light = [3]float64{255, 244, 205}, 1
				}
			}
			grain := (rand.Float64() - 0.5) * 14
			img.SetRGBA(x, y, color.RGBA{
				level(base[0]*light + grain), level(base[1]*light + grain), level(base[2]*light + grain*0.8), 255,
			})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 72}); err != nil {
		return nil // an in-memory image always encodes
	}
	return out.Bytes()
}

// surface is the colour of what stands at a point: steps below, a green dado
// and a white wall above, a door on the right.
func surface(x, y float64) [3]float64 {
	if stairs := 560 + x*0.12; y > stairs {
		step := math.Mod(y-stairs, 84)
		switch {
		case step < 10:
			return [3]float64{176, 172, 164}
		case step < 50:
			return [3]float64{150, 146, 138}
		}
		return [3]float64{112, 108, 102}
	}
	if x > 500 && x < 660 && y > 250 {
		if math.Hypot(x-520, y-430) < 9 {
			return [3]float64{210, 190, 120}
		}
		return [3]float64{126, 62, 44}
	}
	if y > 430 {
		return [3]float64{116, 158, 132}
	}
	return [3]float64{226, 222, 208}
}

func level(v float64) uint8 { return uint8(min(max(v, 0), 255)) }

// silence is one second of AMR-NB, the format of WeChat's recordings: 50 frames
// of 4.75 kbit/s without speech.
func silence() []byte {
	frame := append([]byte{0x04}, make([]byte, 12)...)
	return append([]byte("#!AMR\n"), bytes.Repeat(frame, 50)...)
}
