package federation

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
)

// ReadAccount reads claims as after their signature was checked.
func ReadAccount(payload []byte) (Account, error) {
	var claims idClaims
	if err := json.Unmarshal(payload, &claims); err != nil {
		return Account{}, err
	}
	return claims.account()
}

// Keys asks for the key set and returns the kids that were understood.
func (c *Connector) Keys(ctx context.Context) ([]string, error) {
	keys, err := c.fetchKeys(ctx)
	return slices.Sorted(maps.Keys(keys)), err
}

// Ask reads any address of gov.br by the connector's own client.
func (c *Connector) Ask(ctx context.Context, path string) ([]byte, error) {
	return c.get(ctx, c.settings.Issuer+path, "")
}
