#include "net/query/statement_rights.hpp"

#include "txn/schema/plan.hpp"

namespace penstock::net {
namespace {

class Judge {
 public:
  Judge(const Grants& grants, const std::string& current, bool is_change)
      : grants_(grants), current_(current), is_change_(is_change) {}

  std::optional<Act> operator()(const txn::CreateDatabaseStatement& statement) const {
    return judge(Act::ChangeDatabase, statement.name);
  }
  std::optional<Act> operator()(const txn::DropDatabaseStatement& statement) const {
    return judge(Act::ChangeDatabase, statement.name);
  }
  std::optional<Act> operator()(const txn::CreateTableLikeStatement& statement) const {
    if (const auto denied = judge(Act::ChangeTable, statement.name.database)) return denied;
    return judge(Act::Describe, statement.like.database);
  }
  std::optional<Act> operator()(const txn::ShowTablesStatement& statement) const {
    return judge(Act::Describe, statement.database);
  }
  // Whatever is about one table. What names none is answered from what the user may see, and changes nothing unless the
  // user may do everything.
  template <class Other>
  std::optional<Act> operator()(const Other& statement) const {
    if constexpr (requires { statement.name.table; }) {
      return judge(is_change_ ? Act::ChangeTable : Act::Describe, statement.name.database);
    } else {
      if (!is_change_ || grants_.permit_everywhere(Act::ListTransactions)) return std::nullopt;
      return Act::ListTransactions;
    }
  }

 private:
  std::optional<Act> judge(Act act, const std::string& database) const {
    if (grants_.permit(act, database.empty() ? current_ : database)) return std::nullopt;
    return act;
  }

  const Grants& grants_;
  const std::string& current_;
  const bool is_change_;
};

}  // namespace

std::optional<Act> denied_act(const Grants& grants, const txn::Statement& statement,
                              const std::string& current) {
  return std::visit(Judge(grants, current, txn::is_change(statement)), statement);
}

}  // namespace penstock::net
