package cli

// commands is every command there is, in the order of the overview.
func commands() []*command {
	return []*command{
		upCommand(),
		downCommand(),
		controllersCommand(),
		whoamiCommand(),

		addModelCommand(),
		modelsCommand(),
		switchCommand(),
		showModelCommand(),
		modelConfigCommand(),
		destroyModelCommand(),

		deployCommand(),
		refreshCommand(),
		addUnitCommand(),
		removeUnitCommand(),
		removeApplicationCommand(),
		configCommand(),
		trustCommand(),
		attachResourceCommand(),
		resourcesCommand(),
		exposeCommand(false),
		exposeCommand(true),
		bindCommand(),
		resolvedCommand(),

		runCommand(),
		execCommand(),
		actionsCommand(),
		showActionCommand(),
		operationsCommand(),
		showOperationCommand(),
		showTaskCommand(),
		cancelTaskCommand(),

		storageCommand(),
		showStorageCommand(),
		addStorageCommand(),
		attachStorageCommand(),
		detachStorageCommand(),
		removeStorageCommand(),
		storagePoolsCommand(),

		integrateCommand(),
		removeRelationCommand(),
		suspendRelationCommand(),
		resumeRelationCommand(),

		addSecretCommand(),
		updateSecretCommand(),
		grantSecretCommand(false),
		grantSecretCommand(true),
		removeSecretCommand(),
		secretsCommand(),
		showSecretCommand(),

		initCommand(),
		devCommand(),
		charmLintCommand(),

		contractCheckCommand(),
		contractShowCommand(),
		contractListCommand(),
		contractAddCommand(),
		contractRemoveCommand(),
		contractModeCommand(),
		contractImportCommand(),
		contractInferCommand(),
		contractExportCommand(),
		contractBreakingCommand(),
		contractTestCommand(),

		statusCommand(),
		settleCommand(),
		showUnitCommand(),
		showApplicationCommand(),
		debugLogCommand(),
		showStatusLogCommand(),

		versionCommand(),
		completionCommand(),
		helpCommand(),
	}
}

// jujuOnly are the commands of Juju that kith recognises and refuses (CLI
// reference, section 16).
var jujuOnly = wordSet(`
	add-cloud add-credential add-k8s add-machine add-secret-backend add-space add-ssh-key add-user
	autoload-credentials bootstrap change-user-password charm-resources clouds constraints consume
	controller-config create-backup credentials dashboard debug-code debug-hook debug-hooks default-credential
	default-region destroy-controller diff-bundle disable-command disable-user download download-backup
	enable-command enable-destroy-controller enable-user export-bundle find find-offers firewall-rules grant
	grant-cloud import-filesystem import-ssh-key info kill-controller login logout machines migrate
	model-constraints model-defaults move-to-space offer offers regions register reload-spaces remove-cloud
	remove-credential remove-k8s remove-machine remove-offer remove-saas remove-secret-backend remove-space
	remove-ssh-key remove-storage-pool remove-user rename-space revoke revoke-cloud scale-application scp
	secret-backends set-application-base set-constraints set-credential set-firewall-rule set-model-constraints
	show-cloud show-controller show-credential show-machine show-offer show-secret-backend show-space show-user
	spaces ssh ssh-keys subnets sync-agent-binary unregister update-cloud update-credential update-k8s
	update-public-clouds update-secret-backend update-storage-pool upgrade-controller upgrade-model users
	wait-for
`)
