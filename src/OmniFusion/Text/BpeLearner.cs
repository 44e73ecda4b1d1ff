using System.Runtime.InteropServices;
using System.Text;

namespace OmniFusion.Text;

/// <summary>
/// Learns merges from counted words (Sennrich et al., arXiv 1508.07909). Pair counts are kept up to date word by word, and a queue with
/// stale entries finds the commonest, so that a merge costs what it changes.
/// </summary>
internal sealed class BpeLearner
{
    private readonly List<string> _tokens;
    private readonly Dictionary<string, int> _idOfToken = [];
    private readonly HashSet<string> _reserved;
    private readonly List<(string Left, string Right)> _merges = [];

    private readonly Dictionary<string, int> _wordOfText = [];
    private readonly List<int[]> _words = [];
    private readonly List<long> _wordCounts = [];

    private readonly Dictionary<(int Left, int Right), long> _pairCounts = [];
    private readonly Dictionary<(int Left, int Right), List<int>> _pairWords = [];
    private readonly HashSet<(int Left, int Right)> _changed = [];

    /// <param name="alphabet">The first tokens, in the order of their ids; characters outside it separate words.</param>
    /// <param name="reserved">Texts that no learned token may have.</param>
    public BpeLearner(IReadOnlyList<string> alphabet, IEnumerable<string> reserved)
    {
        _tokens = [.. alphabet];
        _reserved = [.. reserved];
        for (int id = 0; id < _tokens.Count; id++)
            _idOfToken[_tokens[id]] = id;
    }

    public IReadOnlyList<string> Tokens => _tokens;

    public IReadOnlyList<(string Left, string Right)> Merges => _merges;

    /// <summary>Counts <paramref name="count"/> more occurrences of a word.</summary>
    public void Count(string word, long count = 1)
    {
        if (_wordOfText.TryGetValue(word, out int index))
        {
            _wordCounts[index] += count;
            return;
        }
        _wordOfText[word] = _words.Count;
        // A character outside the alphabet is -1, which joins with nothing.
        _words.Add([.. word.EnumerateRunes().Select(rune => _idOfToken.GetValueOrDefault(rune.ToString(), -1))]);
        _wordCounts.Add(count);
    }

    /// <summary>Joins pairs until there are <paramref name="size"/> tokens.</summary>
    /// <exception cref="OmniFusionException">The alphabet alone is larger, or no pair that occurs twice is left before.</exception>
    public void Learn(int size)
    {
        if (size < _tokens.Count)
            throw new OmniFusionException(
                $"the vocabulary is too small: single characters and bytes take {_tokens.Count} tokens, and {size} are left for them");
        PriorityQueue<(int Left, int Right), (long NegativeCount, int Left, int Right)> queue = new();
        for (int word = 0; word < _words.Count; word++)
            AddPairs(word, _wordCounts[word]);
        Enqueue();

        while (_tokens.Count < size)
        {
            if (!queue.TryDequeue(out (int Left, int Right) pair, out (long NegativeCount, int, int) priority))
                throw new OmniFusionException(
                    $"the text yields only {_tokens.Count} tokens of the {size} asked for: give more text or a smaller vocabulary");
            long count = _pairCounts.GetValueOrDefault(pair);
            if (count != -priority.NegativeCount)
                continue;
            string text = _tokens[pair.Left] + _tokens[pair.Right];
            if (_reserved.Contains(text))
                continue;
            if (!_idOfToken.TryGetValue(text, out int id))
            {
                id = _tokens.Count;
                _tokens.Add(text);
                _idOfToken[text] = id;
            }
            _merges.Add((_tokens[pair.Left], _tokens[pair.Right]));
            foreach (int word in _pairWords[pair])
                Join(word, pair, id);
            _pairCounts.Remove(pair);
            _pairWords.Remove(pair);
            _changed.Remove(pair);
            Enqueue();
        }

        void Enqueue()
        {
            foreach ((int left, int right) in _changed)
                if (_pairCounts.GetValueOrDefault((left, right)) is > 1 and var pairCount)
                    queue.Enqueue((left, right), (-pairCount, left, right));
            _changed.Clear();
        }
    }

    private void Join(int word, (int Left, int Right) pair, int id)
    {
        int[] old = _words[word];
        List<int> joined = new(old.Length);
        for (int i = 0; i < old.Length; i++)
        {
            bool match = old[i] == pair.Left && i + 1 < old.Length && old[i + 1] == pair.Right;
            joined.Add(match ? id : old[i]);
            if (match)
                i++;
        }
        // The list of a pair's words may hold one twice, or one where another merge has taken the pair apart.
        if (joined.Count == old.Length)
            return;
        AddPairs(word, -_wordCounts[word]);
        _words[word] = [.. joined];
        AddPairs(word, _wordCounts[word]);
    }

    private void AddPairs(int word, long count)
    {
        int[] symbols = _words[word];
        for (int i = 0; i + 1 < symbols.Length; i++)
        {
            (int Left, int Right) pair = (symbols[i], symbols[i + 1]);
            if (pair.Left < 0 || pair.Right < 0)
                continue;
            CollectionsMarshal.GetValueRefOrAddDefault(_pairCounts, pair, out _) += count;
            _changed.Add(pair);
            if (count < 0)
                continue;
            ref List<int>? words = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairWords, pair, out _);
            words ??= [];
            if (words.Count == 0 || words[^1] != word)
                words.Add(word);
        }
    }
}
