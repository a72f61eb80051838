"""What the values of a column say as names, numbers, truth values or dates; what says nothing is null.

A text file has strings only, Parquet has types, and both may hold the same: so 7, 7.0 and "7" are one name.
"""

import polars as pl

from grapevine.errors import InputError

# How tables say that a number, a date or a truth value is not known; among names these may be names.
MISSING = ["", "na", "n/a", "#n/a", "#na", "<na>", "nan", "null", "none", "nil", "?", "-", "."]
TRUE = ["true", "yes", "t", "y"]
FALSE = ["false", "no", "f", "n"]

# The first that reads all dates of a column is taken; the month comes first where both orders would do.
DATE_FORMATS = (
    "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
)  # fmt: skip
_DATE_SHAPE = r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"


def as_text(values: pl.Series) -> pl.Series:
    """Names: whole numbers without a fraction, strings without blanks around them, null where there is nothing.

    >>> as_text(pl.Series([7.0, 2.5, None])).to_list(), as_text(pl.Series([" 7", ""])).to_list()
    (['7', '2.5', None], ['7', None])
    """
    dtype = values.dtype
    if dtype.is_nested() or dtype == pl.Object:
        raise InputError(f"column {values.name!r} must hold single values, got {dtype}")
    if dtype == pl.Binary:
        return values.bin.encode("hex")
    if dtype.is_decimal():
        values, dtype = values.cast(pl.Float64), pl.Float64()
    if dtype.is_float():
        values = values.fill_nan(None)
        whole = values.cast(pl.Int64, strict=False)
        is_whole = whole.is_not_null() & (whole.cast(pl.Float64) == values)
        return whole.cast(pl.String).zip_with(is_whole.fill_null(False), values.cast(pl.String))
    if dtype.is_integer() or dtype == pl.Boolean:
        return values.cast(pl.String)
    text = values.cast(pl.String).str.strip_chars()
    return text.set(text == "", None) if (text == "").any() else text


def as_whole(values: pl.Series) -> pl.Series | None:
    """Int64 if the column is of numbers and all of them are whole, else None."""
    values = values.cast(pl.Float64) if values.dtype.is_decimal() else values
    if values.dtype.is_integer() and values.dtype not in (pl.UInt64, pl.Int128, pl.UInt128):
        return values.cast(pl.Int64)
    if values.dtype.is_float() or values.dtype in (pl.UInt64, pl.Int128, pl.UInt128):
        known = values.fill_nan(None) if values.dtype.is_float() else values
        whole = known.cast(pl.Int64, strict=False)
        if whole.null_count() == known.null_count() and (whole.cast(known.dtype) == known).all():
            return whole
    return None


def as_numbers(values: pl.Series) -> pl.Series:
    """Float64, null where the number is missing or can not be read, infinite ones among these.

    >>> as_numbers(pl.Series([" 1.5", "abc", "NA", "1e3"])).to_list()
    [1.5, None, None, 1000.0]
    """
    if values.dtype in (pl.Date, pl.Datetime):
        return as_datetimes(values, None).dt.epoch("us").cast(pl.Float64) / 1e6
    if values.dtype == pl.Time:
        return values.cast(pl.Int64).cast(pl.Float64) / 1e9
    if values.dtype == pl.Duration:
        return values.dt.total_microseconds().cast(pl.Float64) / 1e6
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        values = as_text(values)
    numbers = values.cast(pl.Float64, strict=False)
    return numbers.set(~numbers.is_finite(), None) if not numbers.is_finite().all() else numbers


def as_booleans(values: pl.Series) -> pl.Series:
    """Boolean, null where it is missing or can not be read: true, yes, t, y, a number that is 1, and their opposites.

    >>> as_booleans(pl.Series(["Yes", "no", "1.0", "perhaps"])).to_list()
    [True, False, True, None]
    """
    if values.dtype == pl.Boolean:
        return values
    text = as_text(values).str.to_lowercase()
    numbers = as_numbers(values)
    is_true = text.is_in(TRUE) | (numbers == 1).fill_null(False)
    is_false = text.is_in(FALSE) | (numbers == 0).fill_null(False)
    return is_true.set(~(is_true | is_false), None)


def as_datetimes(values: pl.Series, form: str | None) -> pl.Series:
    """Datetime in microseconds of UTC, null where it is missing or can not be read; strings are read by `form`."""
    dtype = values.dtype
    if isinstance(dtype, pl.Datetime):
        moments = values if dtype.time_zone is None else values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return moments.dt.cast_time_unit("us")
    if dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if dtype.is_numeric():  # seconds since 1970
        return (as_numbers(values) * 1e6).cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    if form is None:
        raise InputError(f"column {values.name!r} holds no dates that can be read: write them as 2024-12-31")
    text = as_text(values)
    if "%H" not in form:
        return text.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    moments = text.str.to_datetime(form, strict=False, time_unit="us")
    return moments.dt.replace_time_zone(None) if "z" in form else moments


def date_format(values: pl.Series, sample: int = 1000) -> str | None:
    """The format of DATE_FORMATS that reads most of the strings, None if none reads half of the first ones.

    >>> date_format(pl.Series(["31.12.2024", "1.2.2025"]))
    '%d.%m.%Y'
    """
    text = as_text(values).drop_nulls()
    if not text.head(sample).str.contains(_DATE_SHAPE).mean():
        return None
    read = {form: sample_count(text.head(sample), form) for form in DATE_FORMATS}
    full = {form: sample_count(text, form) for form, count in read.items() if count == max(read.values()) > 0}
    best = max(full, key=lambda form: full[form], default=None)
    return best if best is not None and 2 * full[best] >= len(text) else None


def sample_count(text: pl.Series, form: str) -> int:
    """How many of these strings the format reads."""
    return len(text) - as_datetimes(text, form).null_count()


def is_missing(values: pl.Series) -> pl.Series:
    """Where a number, a date or a truth value is not given."""
    if values.dtype.is_float():
        return values.is_null() | values.is_nan().fill_null(False)
    if values.dtype.is_numeric() or values.dtype.is_temporal() or values.dtype == pl.Boolean:
        return values.is_null()
    text = as_text(values)
    return text.is_null() | text.str.to_lowercase().is_in(MISSING).fill_null(False)
