c.via IS :pullerOrigin AND c.origin IS :pullerOrigin
