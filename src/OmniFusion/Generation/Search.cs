using System.Numerics.Tensors;
using OmniFusion.Tensors;
using Tensor = OmniFusion.Tensors.Tensor;

namespace OmniFusion.Generation;

/// <summary>Finds texts: greedy search, and beam search exactly as Hugging Face transformers 4.56 does it.</summary>
public static class Search
{
    // What transformers uses where a score must lose against every other.
    private const float Never = -1e9f;

    /// <summary>Searches behind the prefixes of a session.</summary>
    /// <param name="c">Where to compute; its arena is taken back at each step.</param>
    /// <param name="session">The decoder behind its prefixes.</param>
    /// <param name="firstLogits">Scores of the first token of each item [items, vocabulary].</param>
    /// <param name="histories">For each item the ids that the n-gram ban looks at besides the generated ones.</param>
    /// <param name="options">Beams, lengths and penalties.</param>
    /// <param name="cancellation">Checked at each step.</param>
    /// <exception cref="OmniFusionException">The options make no sense, or the model computes scores that are not numbers.</exception>
    public static Generated[] Run(
        Compute c, DecoderSession session, Tensor firstLogits, IReadOnlyList<int[]> histories, GenerationOptions options,
        CancellationToken cancellation = default)
    {
        options.Check();
        ItemSearch[] items = new ItemSearch[session.Items];
        for (int i = 0; i < items.Length; i++)
            items[i] = options.NumBeams == 1 ? new GreedyItem(histories[i], options) : new BeamItem(histories[i], options, session.VocabularySize);
        int rows = options.NumBeams * items.Length;
        session.Prepare(rows, options.MaxNewTokens);
        int[] tokens = new int[rows], owners = new int[rows], parents = new int[rows];
        Tensor logits = firstLogits;
        for (int length = 0, live = 0; ; length++)
        {
            cancellation.ThrowIfCancellationRequested();
            int first = 0, count = 0;
            live = 0;
            for (int i = 0; i < items.Length; i++)
            {
                if (items[i].Done)
                    continue;
                // At first there is one row of scores an item, afterwards one a beam.
                int width = length == 0 ? 1 : options.NumBeams;
                int start = length == 0 ? i : first;
                items[i].Advance(logits, start, width);
                first += width;
                if (items[i].Done)
                    continue;
                live++;
                for (int beam = 0; beam < options.NumBeams; beam++, count++)
                {
                    tokens[count] = items[i].Token(beam);
                    owners[count] = i;
                    parents[count] = length == 0 ? -1 : start + items[i].Parent(beam);
                }
            }
            if (live == 0)
                return [.. items.Select(item => item.Best())];
            logits = session.Step(c, tokens.AsSpan(0, count), owners.AsSpan(0, count), parents.AsSpan(0, count));
        }
    }

    private abstract class ItemSearch
    {
        internal bool Done { get; private protected set; }

        internal abstract void Advance(Tensor logits, int start, int width);

        internal abstract int Token(int beam);

        internal abstract int Parent(int beam);

        internal abstract Generated Best();
    }

    private sealed class GreedyItem : ItemSearch
    {
        private readonly GenerationOptions _options;
        private readonly int[] _sequence;
        private readonly int _prompt;
        private int _length;

        internal GreedyItem(int[] history, GenerationOptions options)
        {
            _options = options;
            _prompt = _length = history.Length;
            _sequence = new int[_prompt + options.MaxNewTokens];
            history.CopyTo(_sequence, 0);
        }

        internal override void Advance(Tensor logits, int start, int width)
        {
            Span<float> scores = logits.Row(start);
            NgramBan.Apply(_sequence.AsSpan(0, _length), _options.NoRepeatNgramSize, scores);
            int best = FiniteScores.Best(scores);
            _sequence[_length++] = best;
            Done = _length == _sequence.Length || Ends(_options, best);
        }

        internal override int Token(int beam) => _sequence[_length - 1];

        internal override int Parent(int beam) => 0;

        internal override Generated Best() => new(_sequence[_prompt.._length], null);
    }

    private sealed class BeamItem : ItemSearch
    {
        private readonly GenerationOptions _options;
        private readonly int _beams, _keep, _prompt, _vocabulary, _maxLength;
        private readonly float[] _scores;
        private readonly int[][] _running, _next;
        private readonly float[] _runningScores;
        private readonly Candidate[] _candidates;
        private readonly List<Finished> _finished = [];
        private readonly int[] _parents;
        private int _length;

        internal BeamItem(int[] history, GenerationOptions options, int vocabulary)
        {
            _options = options;
            _beams = options.NumBeams;
            _keep = Math.Max(2, 1 + options.EndOfText.Count) * _beams;
            _prompt = _length = history.Length;
            _vocabulary = vocabulary;
            _maxLength = _prompt + options.MaxNewTokens;
            _scores = new float[vocabulary];
            _running = [.. Enumerable.Range(0, _beams).Select(_ => new int[_maxLength])];
            _next = [.. Enumerable.Range(0, _beams).Select(_ => new int[_maxLength])];
            foreach (int[] sequence in _running)
                history.CopyTo(sequence, 0);
            _runningScores = new float[_beams];
            _candidates = new Candidate[_keep];
            _parents = new int[_beams];
        }

        internal override void Advance(Tensor logits, int start, int width)
        {
            int found = 0;
            for (int beam = 0; beam < width; beam++)
            {
                LogSoftmax(logits.Row(start + beam));
                NgramBan.Apply(_running[beam].AsSpan(0, _length), _options.NoRepeatNgramSize, _scores);
                found = Collect(beam, found);
            }
            // With a single prefix row a small vocabulary may not fill the list.
            for (; found < _keep; found++)
                _candidates[found] = new Candidate(Never, 0, 0);
            bool last = _length + 1 == _maxLength;
            Finish(last);
            Continue();
            _length++;
            Done = last || !CanImprove();
        }

        internal override int Token(int beam) => _running[beam][_length - 1];

        internal override int Parent(int beam) => _parents[beam];

        internal override Generated Best()
        {
            Finished best = _finished[0];
            return new(best.Ids, best.Score);
        }

        // The best `keep` continuations of all beams, best first; equal scores keep the order in which they are found.
        private int Collect(int beam, int found)
        {
            float offset = _runningScores[beam];
            float worst = found < _keep ? float.NegativeInfinity : _candidates[_keep - 1].Score;
            for (int token = 0; token < _vocabulary; token++)
            {
                float score = _scores[token] + offset;
                if (!(score > worst))
                    continue;
                int at = found < _keep ? found++ : _keep - 1;
                for (; at > 0 && _candidates[at - 1].Score < score; at--)
                    _candidates[at] = _candidates[at - 1];
                _candidates[at] = new Candidate(score, beam, token);
                worst = found < _keep ? float.NegativeInfinity : _candidates[_keep - 1].Score;
            }
            return found;
        }

        // Only the best `beams` candidates may finish.
        private void Finish(bool last)
        {
            float divisor = MathF.Pow(_length + 1 - _prompt, _options.LengthPenalty);
            for (int i = 0; i < _beams; i++)
            {
                Candidate candidate = _candidates[i];
                if (!last && !Ends(_options, candidate.Token))
                    continue;
                float score = candidate.Score / divisor;
                int at = _finished.Count;
                while (at > 0 && _finished[at - 1].Score < score)
                    at--;
                if (at == _beams)
                    continue;
                int[] ids = new int[_length + 1 - _prompt];
                _running[candidate.Beam].AsSpan(_prompt, _length - _prompt).CopyTo(ids);
                ids[^1] = candidate.Token;
                _finished.Insert(at, new Finished(score, ids));
                if (_finished.Count > _beams)
                    _finished.RemoveAt(_beams);
            }
        }

        // The best candidates that did not end run on.
        private void Continue()
        {
            int beam = 0;
            for (int i = 0; i < _keep && beam < _beams; i++)
                if (!Ends(_options, _candidates[i].Token))
                    Run(beam++, _candidates[i], _candidates[i].Score);
            for (int i = 0; i < _keep && beam < _beams; i++)
                if (Ends(_options, _candidates[i].Token))
                    Run(beam++, _candidates[i], _candidates[i].Score + Never);
            for (int i = 0; i < _beams; i++)
                (_running[i], _next[i]) = (_next[i], _running[i]);
        }

        private void Run(int beam, Candidate candidate, float score)
        {
            _running[candidate.Beam].AsSpan(0, _length).CopyTo(_next[beam]);
            _next[beam][_length] = candidate.Token;
            _parents[beam] = candidate.Beam;
            _runningScores[beam] = score;
        }

        private bool CanImprove()
        {
            if (_finished.Count < _beams)
                return true;
            // early_stopping=False: the best running beam against the worst finished one, both at the present length.
            return _runningScores[0] / MathF.Pow(_length - _prompt, _options.LengthPenalty) > _finished[^1].Score;
        }

        private void LogSoftmax(ReadOnlySpan<float> logits) =>
            TensorPrimitives.Subtract(logits, FiniteScores.LogSumExp(logits, _scores), _scores);

        private readonly record struct Candidate(float Score, int Beam, int Token);

        private sealed record Finished(float Score, int[] Ids);
    }

    private static bool Ends(GenerationOptions options, int token)
    {
        for (int i = 0; i < options.EndOfText.Count; i++)
            if (options.EndOfText[i] == token)
                return true;
        return false;
    }
}
