using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace OmniFusion.Text;

/// <summary>
/// Byte-pair encoding (Sennrich et al., arXiv 1508.07909) with the options of tokenizer.json: joins, in the order of the merge list,
/// neighbouring symbols of a word until no listed pair is left.
/// </summary>
internal sealed class BpeModel
{
    private const int LongestCachedWord = 64, MostCachedWords = 1 << 16, ShortWord = 24;
    private const char Mark = '▁';

    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _vocabularyBySpan;
    private readonly Dictionary<long, (int Rank, int Id)> _merges;
    private readonly BpeOptions _options;
    private readonly int[]? _byteIds;
    private readonly bool _wordsBeginWithMark;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cacheBySpan;

    /// <param name="vocabulary">Token text to id.</param>
    /// <param name="merges">Pairs of tokens, the earliest learned first; both and their concatenation are in the vocabulary.</param>
    /// <param name="options">The options of the model.</param>
    /// <exception cref="OmniFusionException">A merge or the unknown token names a token that the vocabulary lacks.</exception>
    public BpeModel(Dictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges, BpeOptions options)
    {
        _vocabulary = vocabulary;
        _vocabularyBySpan = vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        _cacheBySpan = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
        _options = options;
        _merges = new Dictionary<long, (int Rank, int Id)>(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            (string left, string right) = merges[rank];
            bool continues = options.ContinuingPrefix.Length > 0 && right.StartsWith(options.ContinuingPrefix, StringComparison.Ordinal);
            string joined = left + (continues ? right[options.ContinuingPrefix.Length..] : right);
            _merges[Key(Required(left), Required(right))] = (rank, Required(joined));
        }
        if (options.UnknownToken is not null)
            Required(options.UnknownToken);
        _wordsBeginWithMark = vocabulary.ContainsKey("▁") && !vocabulary.Keys.Any(MarkFollowsAnother);
        if (options.ByteFallback)
            _byteIds = [.. Enumerable.Range(0, 256).Select(value => vocabulary.GetValueOrDefault(ByteToken(value), -1))];
    }

    /// <summary>The token that stands for one byte where the vocabulary lacks a character: <c>&lt;0x41&gt;</c>.</summary>
    public static string ByteToken(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    /// <summary>The byte that a token stands for, or -1.</summary>
    public static int ByteOf(string token) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>' && char.IsAsciiHexDigit(token[3])
            && char.IsAsciiHexDigit(token[4])
            ? int.Parse(token.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : -1;

    /// <summary>
    /// Appends the ids of one word. SentencePiece's layout has no pre-tokenizer, so that a whole text comes as one word; where no token
    /// holds a mark after another character, no merge goes across such a place, and cutting there lets the cache of words serve it.
    /// </summary>
    public void Encode(ReadOnlySpan<char> word, List<int> output)
    {
        while (_wordsBeginWithMark)
        {
            int begin = word.IndexOfAnyExcept(Mark);
            int end = begin < 0 ? -1 : word[begin..].IndexOf(Mark);
            if (end < 0)
                break;
            EncodeWord(word[..(begin + end)], output);
            word = word[(begin + end)..];
        }
        EncodeWord(word, output);
    }

    private void EncodeWord(ReadOnlySpan<char> word, List<int> output)
    {
        if (word.Length > LongestCachedWord)
        {
            output.AddRange(Merge(word));
            return;
        }
        if (!_cacheBySpan.TryGetValue(word, out int[]? ids))
        {
            ids = Merge(word);
            if (_cache.Count >= MostCachedWords)
                _cache.Clear();
            _cache[word.ToString()] = ids;
        }
        output.AddRange(ids);
    }

    private int[] Merge(ReadOnlySpan<char> word)
    {
        if (_options.IgnoreMerges && _vocabularyBySpan.TryGetValue(word, out int whole))
            return [whole];
        int[] ids = [.. Symbols(word)];
        return ids.Length <= ShortWord ? MergeShort(ids) : MergeLong(ids);
    }

    /// <summary>Joins the best pair of all, again and again: for the usual word faster than any queue.</summary>
    private int[] MergeShort(int[] ids)
    {
        Span<(int Rank, int Id)> pairs = stackalloc (int, int)[ShortWord];
        int count = ids.Length;
        for (int i = 0; i + 1 < count; i++)
            pairs[i] = Pair(ids[i], ids[i + 1]);
        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i + 1 < count; i++)
                if (pairs[i].Rank < pairs[best].Rank)
                    best = i;
            if (pairs[best].Rank == int.MaxValue)
                break;
            ids[best] = pairs[best].Id;
            count--;
            for (int i = best + 1; i < count; i++)
                (ids[i], pairs[i - 1]) = (ids[i + 1], pairs[i]);
            if (best > 0)
                pairs[best - 1] = Pair(ids[best - 1], ids[best]);
            if (best + 1 < count)
                pairs[best] = Pair(ids[best], ids[best + 1]);
        }
        return ids[..count];
    }

    private (int Rank, int Id) Pair(int left, int right) =>
        _merges.TryGetValue(Key(left, right), out (int Rank, int Id) merge) ? merge : (int.MaxValue, -1);

    private int[] MergeLong(int[] ids)
    {
        // A linked list over the symbols (a joined symbol keeps its first place, -1 marks a place taken over) and a queue of candidate
        // pairs, the lowest rank first and then the leftmost: O(n log n).
        int[] next = new int[ids.Length], previous = new int[ids.Length];
        PriorityQueue<int, long> queue = new(ids.Length);
        for (int place = 0; place < ids.Length; place++)
        {
            previous[place] = place - 1;
            next[place] = place + 1 < ids.Length ? place + 1 : -1;
        }
        for (int place = 0; place + 1 < ids.Length; place++)
            Enqueue(place);

        int count = ids.Length;
        while (queue.TryDequeue(out int place, out long priority))
        {
            int right = next[place];
            if (ids[place] < 0 || right < 0)
                continue;
            // An entry made before its symbols changed is stale: their pair has another rank now, or none.
            if (!_merges.TryGetValue(Key(ids[place], ids[right]), out (int Rank, int Id) merge) || merge.Rank != (int)(priority >> 32))
                continue;
            ids[place] = merge.Id;
            ids[right] = -1;
            next[place] = next[right];
            if (next[place] >= 0)
                previous[next[place]] = place;
            count--;
            if (previous[place] >= 0)
                Enqueue(previous[place]);
            Enqueue(place);
        }

        int[] result = new int[count];
        for (int place = 0, i = 0; place >= 0; place = next[place])
            result[i++] = ids[place];
        return result;

        void Enqueue(int place)
        {
            if (next[place] >= 0 && _merges.TryGetValue(Key(ids[place], ids[next[place]]), out (int Rank, int Id) merge))
                queue.Enqueue(place, ((long)merge.Rank << 32) | (uint)place);
        }
    }

    /// <summary>
    /// The ids of the single characters; for one that the vocabulary lacks, its bytes or the unknown token, or else nothing.
    /// </summary>
    private List<int> Symbols(ReadOnlySpan<char> word)
    {
        List<int> ids = new(word.Length);
        bool unknownBefore = false;
        Span<byte> utf8 = stackalloc byte[4];
        bool plain = _options.ContinuingPrefix.Length == 0 && _options.WordSuffix.Length == 0;
        for (int at = 0, length; at < word.Length; at += length)
        {
            Rune.DecodeFromUtf16(word[at..], out Rune rune, out length);
            ReadOnlySpan<char> symbol = word.Slice(at, length);
            if (!plain)
            {
                string prefix = at > 0 ? _options.ContinuingPrefix : "", suffix = at + length == word.Length ? _options.WordSuffix : "";
                symbol = string.Concat(prefix, symbol, suffix);
            }
            if (_vocabularyBySpan.TryGetValue(symbol, out int id))
            {
                ids.Add(id);
                unknownBefore = false;
                continue;
            }
            ReadOnlySpan<byte> bytes = utf8[..rune.EncodeToUtf8(utf8)];
            if (_byteIds is not null && AllBytesKnown(bytes))
            {
                foreach (byte value in bytes)
                    ids.Add(_byteIds[value]);
                unknownBefore = false;
            }
            else if (_options.UnknownToken is not null && !(unknownBefore && _options.FuseUnknown))
            {
                ids.Add(_vocabulary[_options.UnknownToken]);
                unknownBefore = true;
            }
        }
        return ids;
    }

    private bool AllBytesKnown(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
            if (_byteIds![value] < 0)
                return false;
        return true;
    }

    private int Required(string token) => _vocabulary.TryGetValue(token, out int id)
        ? id
        : throw new OmniFusionException($"a merge or option of the model names the token '{token}', which the vocabulary lacks");

    private static bool MarkFollowsAnother(string token)
    {
        int begin = token.AsSpan().IndexOfAnyExcept(Mark);
        return begin >= 0 && token.AsSpan(begin).Contains(Mark);
    }

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;
}

/// <summary>The options of the BPE model in tokenizer.json; the strings are empty where unused.</summary>
internal sealed record BpeOptions
{
    public string? UnknownToken { get; init; }

    public bool FuseUnknown { get; init; }

    public bool ByteFallback { get; init; }

    /// <summary>A word that is a token as a whole is taken so, without merging (Llama 3).</summary>
    public bool IgnoreMerges { get; init; }

    public string ContinuingPrefix { get; init; } = "";

    public string WordSuffix { get; init; } = "";
}
