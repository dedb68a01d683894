package contract

import "errors"

func (i *Import) pydantic(text string) error { return errors.New("schema.py is not read yet") }
