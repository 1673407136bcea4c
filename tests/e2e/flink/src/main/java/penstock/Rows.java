package penstock;

import java.io.File;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.stream.IntStream;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.types.DataType;

/**
 * Row number n is the same at every attempt, and ./run makes the same one. Each subtask emits at a steady rate, and the
 * last tenth of its part row by row, until the file `finish` is there: so the job is running for as long as it is killed.
 */
final class Rows implements GeneratorFunction<Long, RowData> {
  static final String[] NAMES = {"id", "k", "amount", "note", "ts"};
  static final DataType[] TYPES = {
      DataTypes.BIGINT(), DataTypes.INT(), DataTypes.DECIMAL(18, 4), DataTypes.STRING(), DataTypes.TIMESTAMP(3)};
  static final DataType TYPE = DataTypes.ROW(
      IntStream.range(0, NAMES.length).mapToObj(i -> DataTypes.FIELD(NAMES[i], TYPES[i])).toArray(DataTypes.Field[]::new));

  private static final long serialVersionUID = 1;
  private static final String[] NOTES = {
      "plain", "", "tab\tin", "line\nin", "return\r", "quote\"s'", "back\\slash\\", "\u00e4\u00f6 \u65e5\u672c \ud83d\ude42", ",;|", "{\"a\":1}"};
  private static final long FIRST_MILLIS = 1704067200000L;
  private static final long YEAR_MILLIS = 31536000000L;

  private final long part;
  private final long rate;
  private final String finish;
  private transient boolean mayFinish;
  private transient long emitted;
  private transient long began;
  private transient long looked;

  Rows(long part, long rate, String finish) {
    this.part = part;
    this.rate = rate;
    this.finish = finish;
  }

  @Override
  public RowData map(Long number) throws Exception {
    pace(number);
    return make(number);
  }

  private void pace(long number) throws InterruptedException {
    long now = System.currentTimeMillis();
    if (began == 0) {
      began = now;
    }
    if (!mayFinish && now - looked > 200) {
      looked = now;
      mayFinish = new File(finish).exists();
    }
    if (mayFinish) {
      return;
    }
    if (number % part >= part - part / 10) {
      Thread.sleep(20);
      return;
    }
    ++emitted;
    long ahead = began + emitted * 1000 / rate - now;
    if (ahead > 5) {
      Thread.sleep(ahead);
    }
  }

  static long mix(long value) {
    value += 0x9E3779B97F4A7C15L;
    value = (value ^ (value >>> 30)) * 0xBF58476D1CE4E5B9L;
    value = (value ^ (value >>> 27)) * 0x94D049BB133111EBL;
    return value ^ (value >>> 31);
  }

  private static RowData make(long id) {
    long h = mix(id);
    long positive = h >>> 1;
    BigDecimal amount = new BigDecimal(BigInteger.valueOf(h % 100000000000000000L), 4);
    StringData note = positive % 13 == 0
        ? null
        : StringData.fromString(Long.toHexString(h) + NOTES[(int) (positive % NOTES.length)]);
    return GenericRowData.of(id, (int) h, DecimalData.fromBigDecimal(amount, 18, 4), note,
        TimestampData.fromEpochMillis(FIRST_MILLIS + positive % YEAR_MILLIS));
  }
}
