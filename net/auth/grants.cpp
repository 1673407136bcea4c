#include "net/auth/grants.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace penstock::net {
namespace {

constexpr std::array<std::pair<std::string_view, Right>, 4> kWords = {
    {{"LOAD", Right::Load}, {"SELECT", Right::Select}, {"ALTER", Right::Alter}, {"ADMIN", Right::Admin}}};

bool permits(Rights here, Rights everywhere, Act act) {
  switch (act) {
    case Act::Load:
    case Act::EndTransaction:
      return here.has(Right::Load);
    case Act::Scan:
      return here.has(Right::Select);
    case Act::Describe:
      return !here.empty();
    case Act::ChangeTable:
      return here.has(Right::Alter);
    case Act::ChangeDatabase:
      return here.has(Right::Admin) || everywhere.has(Right::Alter);
    case Act::ListTransactions:
      return here.has(Right::Admin);
  }
  return false;
}

}  // namespace

std::optional<Right> parse_right(std::string_view word) {
  for (const auto& [name, right] : kWords) {
    if (name == word) return right;
  }
  return std::nullopt;
}

std::string Rights::to_string() const {
  std::string out;
  for (const auto& [name, right] : kWords) {
    if ((bits_ & static_cast<std::uint8_t>(right)) == 0) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

Grants Grants::all() {
  Grants grants;
  grants.add(kEverywhere, {Right::Admin});
  return grants;
}

void Grants::add(std::string_view database, Rights rights) {
  by_database_[std::string(database)].add(rights);
}

Rights Grants::everywhere() const {
  const auto found = by_database_.find(kEverywhere);
  return found == by_database_.end() ? Rights() : found->second;
}

Rights Grants::on(std::string_view database) const {
  Rights rights = everywhere();
  // No database is called "*", and a request that says so gets no more than anybody.
  if (const auto found = by_database_.find(database); found != by_database_.end()) rights.add(found->second);
  return rights;
}

bool Grants::permit(Act act, std::string_view database) const {
  return permits(on(database), everywhere(), act);
}

bool Grants::permit_everywhere(Act act) const { return permits(everywhere(), everywhere(), act); }

std::string access_denied(Act act) {
  std::string_view rights;
  switch (act) {
    case Act::Load:
    case Act::EndTransaction:
      rights = "ADMIN,LOAD";
      break;
    case Act::Scan:
      rights = "ADMIN,SELECT";
      break;
    case Act::Describe:
      rights = "ADMIN,SELECT,LOAD,ALTER";
      break;
    case Act::ChangeTable:
    case Act::ChangeDatabase:
      rights = "ADMIN,ALTER";
      break;
    case Act::ListTransactions:
      rights = "ADMIN";
      break;
  }
  return fmt::format("Access denied; you need (at least one of) the ({}) privilege(s) for this operation",
                     rights);
}

}  // namespace penstock::net
