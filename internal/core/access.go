package core

import "kith"

// unitOp is an op that a unit sends about itself.
type unitOp interface {
	Op
	actingUnit() kith.UnitName
}

func (o BeginHook) actingUnit() kith.UnitName          { return o.Unit }
func (o CommitHook) actingUnit() kith.UnitName         { return o.Unit }
func (o FailHook) actingUnit() kith.UnitName           { return o.Unit }
func (o BeginTask) actingUnit() kith.UnitName          { return o.Unit }
func (o FinishTask) actingUnit() kith.UnitName         { return o.Unit }
func (o LogTask) actingUnit() kith.UnitName            { return o.Unit }
func (o SetStatus) actingUnit() kith.UnitName          { return o.Unit }
func (o SetWorkloadVersion) actingUnit() kith.UnitName { return o.Unit }
func (o SetLeaderSettings) actingUnit() kith.UnitName  { return o.Unit }

// authorize says who may send what: a unit its own hooks and statuses, a host
// what concerns itself, an operator everything operators do, the controller the rest.
func authorize(cmd Command) error {
	allowed := false
	switch op := cmd.Op.(type) {
	case unitOp:
		allowed = cmd.Actor == UnitActor(op.actingUnit())
	case HostHello:
		allowed = cmd.Actor == Actor{ActorHost, op.Host} || cmd.Actor.Kind == ActorSystem
	case RenewLeases:
		allowed = cmd.Actor == Actor{ActorHost, op.Host} || cmd.Actor.Kind == ActorSystem
	case StorageWiped:
		allowed = cmd.Actor == Actor{ActorHost, op.Host} || cmd.Actor.Kind == ActorSystem
	case UnitHello:
		allowed = cmd.Actor.Kind == ActorHost || cmd.Actor.Kind == ActorSystem
	case Tick, EnterScopes, LeaveScopes, RemoveDeadUnit, Elect, PruneTasks:
		allowed = cmd.Actor.Kind == ActorSystem
	default:
		allowed = cmd.Actor.Kind == ActorUser || cmd.Actor.Kind == ActorSystem
	}
	if !allowed {
		return kith.Errorf(kith.Forbidden, "permission denied").
			WithHint("%s may not send %s", cmd.Actor, cmd.Op.Name())
	}
	return nil
}
