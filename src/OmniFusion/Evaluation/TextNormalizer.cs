using System.Globalization;
using System.Text;
using OmniFusion.Text;

namespace OmniFusion.Evaluation;

/// <summary>Text normalisation before scoring; never applied unless asked for.</summary>
public static class TextNormalizer
{
    /// <summary>
    /// For word error rates of speech recognition: lower case, composed letters (NFC), punctuation and symbols removed, one space. An apostrophe or
    /// a hyphen between two letters or digits belongs to the word (<c>don't</c>, <c>e-mail</c>), and so does a point or comma between two
    /// digits (<c>1.000,50</c>).
    /// </summary>
    public static string ForRecognition(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int[] points = PythonText.CodePoints(PythonText.ToLower(UnicodeNormalizer.Normalize(text, NormalizationForm.FormC)));
        StringBuilder kept = new(points.Length);
        for (int i = 0; i < points.Length; i++)
        {
            if (IsWordPart(points[i]) || IsInsideWord(points, i))
                PythonText.Append(kept, points[i] == '’' ? '\'' : points[i]);
            else
                kept.Append(' ');
        }
        return string.Join(' ', PythonText.Split(kept.ToString()));
    }

    private static bool IsInsideWord(int[] points, int i)
    {
        if (i == 0 || i + 1 == points.Length)
            return false;
        return points[i] switch
        {
            '\'' or '’' or '-' => IsWordPart(points[i - 1]) && IsWordPart(points[i + 1]),
            '.' or ',' => IsDigit(points[i - 1]) && IsDigit(points[i + 1]),
            _ => false,
        };
    }

    private static bool IsWordPart(int c) => CharUnicodeInfo.GetUnicodeCategory(c) is <= UnicodeCategory.OtherNumber;

    private static bool IsDigit(int c) => CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.DecimalDigitNumber;
}
