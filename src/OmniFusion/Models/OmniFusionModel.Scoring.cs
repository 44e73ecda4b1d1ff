using System.Runtime.CompilerServices;
using OmniFusion.Models.Fusion;

namespace OmniFusion.Models;

// Forced scoring, and variants of a model for ablations.
public sealed partial class OmniFusionModel
{
    /// <summary>
    /// How probable the model finds given translations of one input. Each is scored with the token that ends it, exactly as if the model
    /// were about to write it; nothing is searched and no n-gram is banned.
    /// </summary>
    /// <param name="request">The input; a sentence alone is given to the translator alone, as in translation.</param>
    /// <param name="candidates">Translations, at least one.</param>
    /// <param name="options">Only <see cref="TranslationOptions.ImageSize"/> and <see cref="TranslationOptions.ChainOfThought"/> matter.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <returns>Scores in the order of the candidates.</returns>
    /// <exception cref="OmniFusionException">The inputs cannot be read, are together no task of the model, or are too long.</exception>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public async Task<IReadOnlyList<CandidateScore>> ScoreAsync(TranslationRequest request, IReadOnlyList<string> candidates,
        TranslationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(candidates);
        TranslationOptions how = options ?? new TranslationOptions();
        ScoringResult[] results =
            await Task.Run(() => ScoreBatch([(request, candidates)], how, cancellation), cancellation).ConfigureAwait(false);
        return results[0].Scores ?? throw results[0].Error!;
    }

    /// <summary>
    /// Scores given translations of several inputs, some at a time (<see cref="TranslationOptions.BatchSize"/>), and hands out the results
    /// in their order. An item does not depend on its neighbours: a bad one yields its error, and the rest goes on.
    /// </summary>
    /// <param name="items">Inputs with their candidates, each as for <see cref="ScoreAsync"/>.</param>
    /// <param name="options">Only batch size, image size and <see cref="TranslationOptions.ChainOfThought"/> matter.</param>
    /// <param name="cancellation">Asks to stop.</param>
    /// <exception cref="OperationCanceledException">The caller asked to stop.</exception>
    public async IAsyncEnumerable<ScoringResult> ScoreBatchAsync(
        IReadOnlyList<(TranslationRequest Request, IReadOnlyList<string> Candidates)> items, TranslationOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        TranslationOptions how = options ?? new TranslationOptions();
        if (how.BatchSize < 1)
            throw new OmniFusionException($"A batch holds at least 1 request, not {how.BatchSize}.");
        foreach ((TranslationRequest, IReadOnlyList<string>)[] batch in items.Chunk(how.BatchSize))
        {
            ScoringResult[] results = await Task.Run(() => ScoreBatch(batch, how, cancellation), cancellation).ConfigureAwait(false);
            foreach (ScoringResult result in results)
                yield return result;
        }
    }

    /// <summary>The same model with another fusion layer; everything else is shared with this one.</summary>
    /// <param name="fusion">Takes hidden states of this model's thinker, such as <see cref="AblatedFusion"/>.</param>
    public OmniFusionModel With(FusionLayer fusion)
    {
        ArgumentNullException.ThrowIfNull(fusion);
        return With(new FusedTranslator(Parts.Thinker, fusion, Parts.Projection, Parts.Translator, Parts.Gloss));
    }

    /// <summary>The same model without the gloss behind its prefix; everything else is shared with this one.</summary>
    public OmniFusionModel WithoutGloss() => With(new FusedTranslator(Parts.Thinker, Parts.Fusion, Parts.Projection, Parts.Translator));

    private OmniFusionModel With(FusedTranslator parts)
    {
        OmniFusionModel other = (OmniFusionModel)MemberwiseClone();
        (other.Parts, other._reader) = (parts, _reader.For(parts));
        return other;
    }

    private ScoringResult[] ScoreBatch(
        (TranslationRequest Request, IReadOnlyList<string> Candidates)[] items, TranslationOptions options, CancellationToken cancellation)
    {
        ScoringResult[] results = new ScoringResult[items.Length];
        List<(int Place, PreparedRequest Request, int[][] Candidates)> prepared = [];
        TranslationRequest[] requests = [.. items.Select(item => item.Request)];
        Heard[] heard = Thinks(options)
            ? Hear(requests, fuse: true, options, SearchOf(options), cancellation) : [.. requests.Select(_ => new Heard(""))];
        requests = [.. requests.Zip(heard, WithTranscript)];
        for (int i = 0; i < items.Length; i++)
        {
            try
            {
                if (heard[i].Error is { } deaf)
                    throw deaf;
                if (items[i].Candidates.Count == 0)
                    throw new OmniFusionException("There is no candidate to score.");
                int[][] candidates = [.. items[i].Candidates.Select(EncodeTranslation)];
                prepared.Add((i, _reader.Read(
                    requests[i], options.ImageSize, candidates.Max(ids => ids.Length), cancellation, heard[i].Perceived), candidates));
            }
            catch (OmniFusionException error)
            {
                results[i] = new ScoringResult(null, error);
            }
        }
        foreach (IGrouping<Way, (int Place, PreparedRequest Request, int[][] Candidates)> group in prepared.GroupBy(item => WayOf(item.Request)))
        {
            cancellation.ThrowIfCancellationRequested();
            float[][][] scores = Score([.. group.Select(item => item.Request)], [.. group.Select(item => item.Candidates)]);
            foreach ((int place, float[][] own) in group.Zip(scores, (item, own) => (item.Place, own)))
                results[place] = new ScoringResult(
                    [.. items[place].Candidates.Zip(own, (text, tokens) =>
                        new CandidateScore(text, tokens.Length, tokens.Sum(token => (double)token)))],
                    null);
        }
        return results;
    }

    // All of them go one way.
    private float[][][] Score(PreparedRequest[] requests, int[][][] candidates) => WithCompute(c =>
        Parts.Start(c, Encode(c, requests), [.. requests.Select(request => request.Text)]).Score(c, candidates));

    private int[] EncodeTranslation(string text) => text is null
        ? throw new OmniFusionException("A candidate to score is missing.")
        : [.. TranslatorTokenizer.Encode(text, addSpecialTokens: false), _endOfTranslation[0]];
}
