package hooktool

func configGet(i *invocation) error {
	all := i.boolean("print options without a value as well", "a", "all")
	out := i.anyFormat()
	args, err := i.parse()
	if err != nil {
		return err
	}
	key, args := first(args)
	if key != "" && *all {
		return usagef("cannot use argument --all together with key %q", key)
	}
	if err := noMore(args); err != nil {
		return err
	}
	config := i.run.ctx.Config
	if key != "" {
		return out.print(plain(config[key]))
	}
	values := i.run.Config()
	if *all {
		for _, name := range i.run.ctx.Options {
			if _, set := values[name]; !set {
				values[name] = nil
			}
		}
	}
	return out.print(values)
}
