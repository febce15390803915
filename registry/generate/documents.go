package generate

// CPFs are drawn by a permutation of the 10⁹ bodies, so that no two people have the same; what the
// seed changes is where it begins. The multiplier is 3^18, which shares no factor with 10⁹.
const bodies = 1_000_000_000

// noCPF is what a person without one has.
const noCPF = 0

// reserved are the CPFs of the contract's demo people: no generated person has one of them.
var reserved = map[uint64]bool{52998224725: true, 11144477735: true, 39053344705: true, 16899535009: true, 93541134780: true}

// cpfOf is the CPF of person n, or noCPF where the number falls on one that cannot be given away.
func cpfOf(offset, n uint64) uint64 {
	body := (n%bodies*387420489 + offset) % bodies
	if body%111111111 == 0 { // 000.000.000, 111.111.111 … are refused by everybody
		return noCPF
	}
	cpf := body*100 + cpfDigits(body)
	if reserved[cpf] {
		return noCPF
	}
	return cpf
}

// cpfDigits are the two check digits of a body of nine.
func cpfDigits(body uint64) uint64 {
	var first, second uint64
	for i, b := uint64(0), body; i < 9; i++ {
		d := b % 10
		b /= 10
		first += d * (i + 2)
		second += d * (i + 3)
	}
	v1 := first * 10 % 11 % 10
	return v1*10 + (second+2*v1)*10%11%10
}

// validCPF says whether 11 digits are a CPF.
func validCPF(n uint64) bool {
	return n/100%111111111 != 0 && n < bodies*100 && cpfDigits(n/100) == n%100
}

// cnpjOf is the CNPJ of company n; every seventh has letters, as given since July 2026.
func cnpjOf(offset, n uint64) (cnpj [14]byte) {
	digitsInto(cnpj[:8], (n*48271+offset)%100_000_000)
	if n%7 == 0 {
		cnpj[0], cnpj[1] = letters[cnpj[0]-'0'], letters[cnpj[1]-'0']
	}
	copy(cnpj[8:], "0001")
	cnpj[12] = cnpjDigit(cnpj[:12])
	cnpj[13] = cnpjDigit(cnpj[:13])
	return cnpj
}

// letters stand for the ten digits, one for each: companies of other digits stay others.
const letters = "BDFGHKMPRX"

// cnpjDigit weighs from the right 2 to 9 and again; a letter counts as its ASCII code less 48.
func cnpjDigit(chars []byte) byte {
	sum, weight := 0, 2
	for i := len(chars) - 1; i >= 0; i-- {
		sum += int(chars[i]-'0') * weight
		if weight++; weight > 9 {
			weight = 2
		}
	}
	if r := sum % 11; r >= 2 {
		return byte('0' + 11 - r)
	}
	return '0'
}

// voterOf is a título de eleitor: eight digits, state 06 (Paraná), two check digits.
func voterOf(r *rng) uint64 {
	const state1, state2 = 0, 6
	seq := uint64(r.below(100_000_000))
	sum := uint64(0)
	for i, s := uint64(0), seq; i < 8; i++ {
		sum += s % 10 * (9 - i)
		s /= 10
	}
	d1 := sum % 11 % 10
	d2 := (state1*7 + state2*8 + d1*9) % 11 % 10
	return seq*10000 + (state1*10+state2)*100 + d1*10 + d2
}

// nisOf is a NIS (PIS): weights 3 2 9 8 7 6 5 4 3 2 and one check digit.
func nisOf(r *rng) uint64 {
	body := 1_200_000_000 + uint64(r.below(500_000_000))
	sum := uint64(0)
	for i, b := uint64(0), body; i < 10; i++ {
		sum += b % 10 * (i%8 + 2)
		b /= 10
	}
	d := 11 - sum%11
	if d >= 10 {
		d = 0
	}
	return body*10 + d
}

// cnsOf is a provisional CNS, which begins with 7 or 8: the sum of digit × (15 … 1) is a multiple
// of 11. The last digit settles the sum; where it would be 10, the one before moves on.
func cnsOf(r *rng) uint64 {
	body := 70_000_000_000_000 + r.next()%20_000_000_000_000
	for {
		sum := uint64(0)
		for i, b := uint64(0), body; i < 14; i++ {
			sum += b % 10 * (i + 2)
			b /= 10
		}
		if d := (11 - sum%11) % 11; d < 10 {
			return body*10 + d
		}
		body++
	}
}

// digitsInto writes n in all of dst, with zeros before it.
func digitsInto(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
}
