// Two-phase clients of a StoreWorld: prepare, then commit or abort, by TxnId or by label, and again after a crash.
//
// The rules they hold the store to: an answered PRECOMMITTED is there after any crash, invisible until it is committed; a
// commit is visible once and for ever; an abort is never visible, and its label is free; what a look has shown of a load in
// doubt stays so.
//
// Journey:  scenarios and tests -> [two-phase clients] -> Store::begin, Store::operate.
// Shard:    coroutines for shard 0.
// Promise:  the same seed asks the same things in the same order.
// Failure:  Knowledge::violation.
#pragma once

#include <optional>
#include <vector>

#include "tests/crash/store_world.hpp"

namespace penstock::crash {

enum class By { Id, Label };

core::Task<void> prepare(txn::Store* store, Knowledge* knows, LoadPlan plan);
core::Task<void> commit(txn::Store* store, Knowledge* knows, int number, By by);
core::Task<void> abort(txn::Store* store, Knowledge* knows, int number, By by);
// Several commits at once.
core::Task<void> commit_together(txn::Store* store, Knowledge* knows, std::vector<int> numbers);
// A commit by id and an abort by label at once: one of them wins.
core::Task<void> commit_beside_abort(txn::Store* store, Knowledge* knows, int number);
// A two-phase load that is begun and goes no further; its client remembers its TxnId. After the end of the process it aborts
// that: the load is not there any more, and no other may be hit.
core::Task<void> leave_open(txn::Store* store, Knowledge* knows, LoadPlan plan);
core::Task<void> abort_what_was_open(txn::Store* store, Knowledge* knows);
// A two-phase load that is aborted while its body is being received; it goes on sending and gets a Fail.
core::Task<void> abort_while_open(txn::Store* store, Knowledge* knows, LoadPlan plan, By by);

// A look showed this state of a two-phase load.
void settle_two_phase(Knowledge& knows, int number, std::optional<txn::TxnState> state);
// Asks for commits of what has ended: the answers never change.
core::Task<void> ask_again(txn::Store* store, Knowledge* knows);
// After a recovery: sends again what is not there, commits some of what is precommitted, aborts and prepares some again, and
// leaves the others as they are.
core::Task<void> retry_two_phase(txn::Store* store, Knowledge* knows);

}  // namespace penstock::crash
