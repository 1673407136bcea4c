package penstock;

import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.io.JsonStringEncoder;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;

/**
 * Rows as change records of a database: what Debezium makes of an INSERT. With `alters`, the table of that database gets
 * two more columns on the way, and ./run knows which rows have them: each subtask says so behind a row of its part. They
 * do it one after the other, because the connector keeps what it works out of such a record in static lists.
 */
final class Changes implements FlatMapFunction<RowData, String> {
  private static final long serialVersionUID = 1;
  private static final String[][] COLUMNS = {
      {"id", "BIGINT", "20", "null", "false"}, {"k", "INT", "11", "null", "false"}, {"amount", "DECIMAL", "18", "4", "false"},
      {"note", "TEXT", "65535", "null", "true"}, {"ts", "DATETIME", "3", "null", "false"},
      {"extra", "VARCHAR", "32", "null", "true"}, {"more", "BIGINT", "20", "null", "true"}};
  private static final int FIRST = 5;

  private final long part;
  private final boolean alters;

  Changes(long part, boolean alters) {
    this.part = part;
    this.alters = alters;
  }

  @Override
  public void flatMap(RowData row, Collector<String> out) {
    long index = row.getLong(0) % part;
    int columns = FIRST;
    for (int i = 0; alters && FIRST + i < COLUMNS.length; ++i) {
      if (index > lastWithout(row.getLong(0) / part, i)) {
        ++columns;
      }
    }
    out.collect(insert(row, columns));
    for (int i = 0; alters && FIRST + i < COLUMNS.length; ++i) {
      if (index == lastWithout(row.getLong(0) / part, i)) {
        synchronized (Changes.class) {  // the sink is chained: it has sent the statement when this returns
          out.collect(alter(FIRST + i));
        }
      }
    }
  }

  /** The last row of a part without the column. */
  private long lastWithout(long which, int column) {
    return part * (30 + 30 * column + 5 * which) / 100;
  }

  private static String quoted(String text) {
    return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
  }

  private static String insert(RowData row, int columns) {
    long h = Rows.mix(row.getLong(0));
    StringBuilder out = new StringBuilder("{\"before\":null,\"after\":{\"id\":").append(row.getLong(0));
    out.append(",\"k\":").append(row.getInt(1));
    out.append(",\"amount\":\"").append(row.getDecimal(2, 18, 4).toBigDecimal().toPlainString()).append("\",\"note\":");
    out.append(row.isNullAt(3) ? "null" : quoted(row.getString(3).toString()));
    out.append(",\"ts\":\"").append(row.getTimestamp(4, 3).toTimestamp()).append('"');
    if (columns > FIRST) {
      out.append(",\"extra\":\"e").append(Long.toHexString(h)).append('"');
    }
    if (columns > FIRST + 1) {
      out.append(",\"more\":").append(h);
    }
    return out.append("},\"source\":{\"connector\":\"mysql\",\"db\":\"made\",\"table\":\"rows\"},\"op\":\"c\"}").toString();
  }

  /** ADD COLUMN: with it, the table has the first `at` + 1 columns. */
  private static String alter(int at) {
    StringBuilder columns = new StringBuilder();
    for (int i = 0; i <= at; ++i) {
      String[] c = COLUMNS[i];
      columns.append(i == 0 ? "" : ",").append("{\"name\":\"").append(c[0]).append("\",\"jdbcType\":12,\"typeName\":\"").append(c[1]);
      columns.append("\",\"typeExpression\":\"").append(c[1]).append("\",\"charsetName\":null,\"length\":").append(c[2]);
      columns.append(",\"scale\":").append(c[3]).append(",\"position\":").append(i + 1).append(",\"optional\":").append(c[4]);
      columns.append(",\"autoIncremented\":false,\"generated\":false}");
    }
    String source = "{\"connector\":\"mysql\",\"db\":\"made\",\"table\":\"rows\"}";
    String type = COLUMNS[at][1].equals("VARCHAR") ? "varchar(32)" : "bigint";
    String history = "{\"source\":" + source + ",\"databaseName\":\"made\",\"ddl\":\"alter table rows add column " + COLUMNS[at][0] + " "
        + type + "\",\"tableChanges\":[{\"type\":\"ALTER\",\"id\":\"made.rows\",\"table\":{\"primaryKeyColumnNames\":[\"id\"],"
        + "\"columns\":[" + columns + "]}}]}";
    return "{\"source\":" + source + ",\"historyRecord\":" + quoted(history) + "}";
  }
}
