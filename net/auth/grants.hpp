// Grants: what a user may do, database by database; and Act: what a request wants to do, so that one table says which right
// it takes.
//
// Journey:  the configuration -> [Grants]; Authenticator::check gives a User -> every door asks [Grants::permit].
// Shard:    any; values and pure functions.
// Promise:  a refusal depends on the grants alone, never on what is there: a database without a grant cannot be told from one
//           that does not exist. ADMIN includes every right; what stands at "*" holds for every database.
// Failure:  access_denied() is the text of a refusal, in Doris's words.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::net {

enum class Right : std::uint8_t { Load = 1, Select = 2, Alter = 4, Admin = 8 };

// As the configuration writes it: LOAD, SELECT, ALTER, ADMIN.
std::optional<Right> parse_right(std::string_view word);

class Rights {
 public:
  constexpr Rights() = default;
  constexpr Rights(std::initializer_list<Right> rights) {
    for (const Right right : rights) add(right);
  }
  constexpr void add(Right right) { bits_ |= static_cast<std::uint8_t>(right); }
  constexpr void add(Rights other) { bits_ |= other.bits_; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool has(Right right) const {
    return ((bits_ | admin_as_all()) & static_cast<std::uint8_t>(right)) != 0;
  }
  std::string to_string() const;  // LOAD,SELECT
  friend constexpr bool operator==(Rights, Rights) = default;

 private:
  constexpr std::uint8_t admin_as_all() const {
    return (bits_ & static_cast<std::uint8_t>(Right::Admin)) != 0 ? 0xff : 0;
  }
  std::uint8_t bits_ = 0;
};

enum class Act : std::uint8_t {
  Load,             // a load, or a connector's probe: LOAD
  EndTransaction,   // commit or abort of one: LOAD
  Scan,             // rows: SELECT
  Describe,         // names, columns, the state of a label: any right
  ChangeTable,      // CREATE, DROP, TRUNCATE, ALTER TABLE: ALTER
  ChangeDatabase,   // CREATE, DROP DATABASE: ALTER on "*", or ADMIN of that one
  ListTransactions  // of all clients, and their end: ADMIN
};

class Grants {
 public:
  static constexpr std::string_view kEverywhere = "*";

  // ADMIN on everything.
  static Grants all();
  // `database`: a name or kEverywhere. Adds to what is there.
  void add(std::string_view database, Rights rights);

  bool permit(Act act, std::string_view database) const;
  // In every database there is or will be.
  bool permit_everywhere(Act act) const;

  const std::map<std::string, Rights, std::less<>>& by_database() const { return by_database_; }
  friend bool operator==(const Grants&, const Grants&) = default;

 private:
  Rights on(std::string_view database) const;
  Rights everywhere() const;

  std::map<std::string, Rights, std::less<>> by_database_;
};

std::string access_denied(Act act);

}  // namespace penstock::net
