namespace OmniFusion.Cli;

/// <summary>Rows of cells in columns: the first to the left, numbers to the right.</summary>
internal static class TextTable
{
    /// <summary>The lines of a table; rows may be shorter than others, and a column is as wide as its widest cell.</summary>
    /// <param name="rows">Cells of each row.</param>
    /// <param name="leftAligned">Numbers of further columns that begin at the left, such as signatures.</param>
    internal static IEnumerable<string> Lines(IReadOnlyList<string[]> rows, params int[] leftAligned)
    {
        int[] widths = [.. Enumerable.Range(0, rows.Max(row => row.Length))
            .Select(column => rows.Where(row => row.Length > column).Max(row => row[column].Length))];
        foreach (string[] row in rows)
            yield return string.Join("  ", row.Select((cell, column) =>
                column == 0 || leftAligned.Contains(column) ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd();
    }
}
