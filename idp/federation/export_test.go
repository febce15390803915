package federation

import "encoding/json"

// ReadAccount reads claims as after their signature was checked.
func ReadAccount(payload []byte) (Account, error) {
	var claims idClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Account{}, err
	}
	return claims.account()
}
