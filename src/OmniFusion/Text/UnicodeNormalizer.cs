using System.Collections;
using System.Globalization;
using System.Text;

namespace OmniFusion.Text;

/// <summary>
/// The four Unicode normalization forms (Unicode Standard Annex 15). The runtime's own <see cref="string.Normalize()"/> returns its input
/// unchanged under invariant globalization, and with it no tokenizer would agree with its training on decomposed text.
/// </summary>
internal static class UnicodeNormalizer
{
    private const int HangulFirst = 0xAC00, HangulCount = 11172, LeadFirst = 0x1100, LeadCount = 19;
    private const int VowelFirst = 0x1161, VowelCount = 21, TrailBefore = 0x11A7, TrailCount = 28;

    private static readonly Lazy<Tables> Data = new(Tables.Read);

    /// <summary>Returns <paramref name="text"/> (valid UTF-16) in the given form; the same instance where nothing can change.</summary>
    public static string Normalize(string text, NormalizationForm form)
    {
        // Nothing below U+00A0 decomposes or combines, and nothing below U+0300 changes under NFC.
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', form == NormalizationForm.FormC ? '\u02FF' : '\u009F'))
            return text;
        Tables tables = Data.Value;
        BitArray unstable = tables.Unstable(form);
        bool stable = true;
        foreach (Rune rune in text.EnumerateRunes())
            stable &= !unstable[rune.Value];
        if (stable)
            return text;

        bool compatibility = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        List<int> points = new(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes())
            tables.Decompose(rune.Value, compatibility, points);
        tables.Reorder(points);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC)
            tables.Compose(points);

        StringBuilder result = new(points.Count + 16);
        Span<char> pair = stackalloc char[2];
        foreach (int point in points)
            result.Append(pair[..new Rune(point).EncodeToUtf16(pair)]);
        return result.ToString();
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, int> _class = [];
        private readonly Dictionary<int, int[]> _canonical = [];
        private readonly Dictionary<int, int[]> _compatibility = [];
        private readonly HashSet<int> _excluded = [];
        private readonly Dictionary<(int First, int Second), int> _composed = [];
        private readonly BitArray?[] _unstable = new BitArray?[7];

        public static Tables Read()
        {
            Tables tables = new();
            using Stream stream = typeof(UnicodeNormalizer).Assembly.GetManifestResourceStream("OmniFusion.Text.UnicodeNormalization.txt")!;
            using StreamReader reader = new(stream);
            while (reader.ReadLine() is { } line)
                if (line[0] != '#')
                    tables.Add(line.Split(';'));
            return tables;
        }

        private void Add(string[] fields)
        {
            int point = Hex(fields[0]);
            if (fields[1].Length > 0)
                _class[point] = int.Parse(fields[1], CultureInfo.InvariantCulture);
            if (fields[2].Length == 0)
                return;
            int[] parts = [.. fields[2].TrimStart('~', '!').Split(' ').Select(Hex)];
            if (fields[2][0] == '~')
            {
                _compatibility[point] = parts;
                return;
            }
            _canonical[point] = parts;
            if (fields[2][0] == '!')
                _excluded.Add(point);
            else
                _composed[(parts[0], parts[1])] = point;
        }

        /// <summary>The characters that may be changed, or that may combine with what stands before them, in the given form.</summary>
        public BitArray Unstable(NormalizationForm form)
        {
            if (_unstable[(int)form] is { } known)
                return known;
            BitArray bits = new(0x110000);
            IEnumerable<int> points = form switch
            {
                NormalizationForm.FormC => _class.Keys.Concat(_excluded).Concat(_composed.Keys.Select(p => p.Second)),
                NormalizationForm.FormKC =>
                    _class.Keys.Concat(_canonical.Keys).Concat(_composed.Keys.Select(p => p.Second)).Concat(_compatibility.Keys),
                NormalizationForm.FormD => _class.Keys.Concat(_canonical.Keys).Concat(Enumerable.Range(HangulFirst, HangulCount)),
                _ => _class.Keys.Concat(_canonical.Keys).Concat(_compatibility.Keys).Concat(Enumerable.Range(HangulFirst, HangulCount)),
            };
            foreach (int point in points)
                bits[point] = true;
            if (form is NormalizationForm.FormC or NormalizationForm.FormKC)
                for (int jamo = VowelFirst; jamo < TrailBefore + TrailCount; jamo++)
                    bits[jamo] = true;
            return _unstable[(int)form] = bits;
        }

        public void Decompose(int point, bool compatibility, List<int> output)
        {
            int hangul = point - HangulFirst;
            if (hangul is >= 0 and < HangulCount)
            {
                output.Add(LeadFirst + hangul / (VowelCount * TrailCount));
                output.Add(VowelFirst + hangul / TrailCount % VowelCount);
                if (hangul % TrailCount != 0)
                    output.Add(TrailBefore + hangul % TrailCount);
            }
            else if (_canonical.TryGetValue(point, out int[]? parts) || (compatibility && _compatibility.TryGetValue(point, out parts)))
            {
                foreach (int part in parts)
                    Decompose(part, compatibility, output);
            }
            else
            {
                output.Add(point);
            }
        }

        /// <summary>Canonical ordering: within each run of combining marks, stably by class.</summary>
        public void Reorder(List<int> points)
        {
            for (int i = 0; i < points.Count; i++)
            {
                int begin = i;
                while (i < points.Count && Class(points[i]) != 0)
                    i++;
                if (i - begin < 2)
                    continue;
                int[] run = [.. points.GetRange(begin, i - begin).OrderBy(Class)];
                for (int k = 0; k < run.Length; k++)
                    points[begin + k] = run[k];
            }
        }

        /// <summary>
        /// Canonical composition, in place: each character joins the last starter unless a mark of its class or above blocks it.
        /// </summary>
        public void Compose(List<int> points)
        {
            int starter = -1, lastClass = -1, count = 0;
            for (int i = 0; i < points.Count; i++)
            {
                int point = points[i], pointClass = Class(point);
                if (starter >= 0 && lastClass < pointClass && Pair(points[starter], point) is { } joined)
                {
                    points[starter] = joined;
                    continue;
                }
                if (pointClass == 0)
                    (starter, lastClass) = (count, -1);
                else
                    lastClass = pointClass;
                points[count++] = point;
            }
            points.RemoveRange(count, points.Count - count);
        }

        private int? Pair(int first, int second)
        {
            int lead = first - LeadFirst, vowel = second - VowelFirst;
            if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
                return HangulFirst + (lead * VowelCount + vowel) * TrailCount;
            int syllable = first - HangulFirst, trail = second - TrailBefore;
            if (syllable is >= 0 and < HangulCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
                return first + trail;
            return _composed.TryGetValue((first, second), out int joined) ? joined : null;
        }

        private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

        private int Class(int point) => _class.GetValueOrDefault(point);
    }
}
