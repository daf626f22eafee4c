c.via IS :pullerOrigin
